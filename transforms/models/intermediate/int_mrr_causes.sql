-- Why MRR changed: at each instant at which an org's MRR changed, the change split by cause, one row per event that speaks
-- of it. The amounts of an instant sum to its change; further events of one part carry 0.
with

items as (
    select * from {{ ref('int_mrr_items') }} where not is_trial
),

instants as (
    select org_id, currency, valid_from as instant from items where valid_from < {{ as_of() }}
    union distinct
    select org_id, currency, valid_to as instant from items where valid_to < {{ as_of() }}
),

-- items that touch the instant: before it, after it, or both
touching as (
    select
        instants.instant as instant,
        {%- for column in ['org_id', 'currency', 'product_id', 'item_kind', 'quantity_micros', 'gross_minor', 'after_percent_minor', 'mrr_minor', 'kept_share', 'valid_from', 'valid_to', 'source', 'event_id', 'end_source', 'end_event_id', 'end_kind'] %}
        items.{{ column }} as {{ column }},
        {%- endfor %}
        items.valid_from < instants.instant as is_before,
        items.valid_to is null or items.valid_to > instants.instant as is_after
    from instants
    inner join items on instants.org_id = items.org_id and instants.currency = items.currency
    where items.valid_from <= instants.instant and (items.valid_to is null or items.valid_to >= instants.instant)
),

-- both sides per product, over all subscriptions: units, list price, after percentages, what counts
sides as (
    select
        org_id,
        currency,
        instant,
        product_id,
        item_kind,
        {%- for side in ['before', 'after'] %}
        {{ int_sum('case when is_' ~ side ~ ' then quantity_micros else 0 end') }} as units_{{ side }},
        {{ int_sum('case when is_' ~ side ~ ' then gross_minor else 0 end') }} as gross_{{ side }},
        {{ int_sum('case when is_' ~ side ~ ' then after_percent_minor else 0 end') }} as percented_{{ side }},
        {{ int_sum('case when is_' ~ side ~ ' then mrr_minor else 0 end') }} as mrr_{{ side }},
        min(case when is_{{ side }} then kept_share end) as kept_low_{{ side }},
        max(case when is_{{ side }} then kept_share end) as kept_high_{{ side }},
        {%- endfor %}
        {{ int_sum("case when is_before and not is_after and end_kind = 'pause' then mrr_minor else 0 end") }} as paused_minor
    from touching
    group by org_id, currency, instant, product_id, item_kind
),

totals as (
    select
        sides.*,
        sum(sides.mrr_before) over (partition by sides.org_id, sides.currency, sides.instant) as total_before,
        sum(sides.mrr_after) over (partition by sides.org_id, sides.currency, sides.instant) as total_after
    from sides
),

-- a package that the org came to through one that it had before
adjacent as (
    select distinct totals.org_id as org_id, totals.instant as instant, totals.product_id as product_id
    from totals
    inner join {{ catalog_source('catalog_adjacency') }} as adjacency
        on totals.product_id = adjacency.to_package
        and adjacency.version = (select version from {{ ref('stg_catalog__version_in_force') }})
    inner join {{ ref('int_package_starts') }} as starts
        on totals.org_id = starts.org_id
        and adjacency.from_package = starts.package_id
    where totals.item_kind = 'package' and starts.first_at < totals.instant
),

-- products on both sides: quantity at the old price, then price, then discount; what rounding leaves is price
matched as (
    select
        totals.*,
        coalesce({{ div_round(wide('units_after - units_before') ~ ' * percented_before', 'units_before') }}, 0) as quantity_minor,
        case
            when kept_low_before = kept_high_before and kept_low_after = kept_high_after and kept_low_before = kept_low_after then 0
            else percented_after - coalesce({{ div_round(wide('gross_after') ~ ' * percented_before', 'gross_before') }}, percented_after)
        end - ((percented_after - mrr_after) - (percented_before - mrr_before)) as discount_minor
    from totals
    where total_before > 0 and total_after > 0 and units_before > 0 and units_after > 0
),

parts as (
    select org_id, currency, instant, product_id, item_kind, 'start' as cause, mrr_after as amount_minor
    from totals
    where total_before = 0 and total_after > 0
    union all
    select org_id, currency, instant, product_id, item_kind, 'pause' as cause, -paused_minor as amount_minor
    from totals
    where total_before > 0 and total_after = 0
    union all
    select org_id, currency, instant, product_id, item_kind, 'cancel' as cause, paused_minor - mrr_before as amount_minor
    from totals
    where total_before > 0 and total_after = 0
    union all
    select org_id, currency, instant, product_id, item_kind, 'quantity' as cause, quantity_minor as amount_minor from matched
    union all
    select org_id, currency, instant, product_id, item_kind, 'discount' as cause, discount_minor as amount_minor from matched
    union all
    select org_id, currency, instant, product_id, item_kind, 'price' as cause,
        mrr_after - mrr_before - quantity_minor - discount_minor as amount_minor
    from matched
    union all
    -- products that came or went while others stayed
    select
        totals.org_id as org_id,
        totals.currency as currency,
        totals.instant as instant,
        totals.product_id as product_id,
        totals.item_kind as item_kind,
        case when adjacent.product_id is not null then 'adjacency' else totals.item_kind end as cause,
        totals.mrr_after - totals.mrr_before as amount_minor
    from totals
    left join adjacent
        on totals.org_id = adjacent.org_id
        and totals.instant = adjacent.instant
        and totals.product_id = adjacent.product_id
    where totals.total_before > 0 and totals.total_after > 0 and (totals.units_before = 0 or totals.units_after = 0)
),

-- events that made a product's side change: whose state began there, or ended what was there
events as (
    select org_id, currency, instant, product_id, item_kind, source, event_id from touching where valid_from = instant
    union distinct
    select org_id, currency, instant, product_id, item_kind, end_source as source, end_event_id as event_id
    from touching
    where valid_to = instant and end_source is not null
),

cited as (
    select
        {%- for column in ['org_id', 'currency', 'instant', 'product_id', 'item_kind', 'cause', 'amount_minor'] %}
        parts.{{ column }} as {{ column }},
        {%- endfor %}
        events.source as source,
        events.event_id as event_id,
        row_number() over (
            partition by parts.org_id, parts.currency, parts.instant, parts.product_id, parts.item_kind, parts.cause
            order by events.source desc, events.event_id desc
        ) as place
    from parts
    inner join events
        on parts.org_id = events.org_id
        and parts.currency = events.currency
        and parts.instant = events.instant
        and parts.product_id = events.product_id
        and parts.item_kind = events.item_kind
    where parts.amount_minor <> 0
)

select
    {{ month_start('instant') }} as month,
    org_id,
    currency,
    instant,
    product_id,
    item_kind,
    cause,
    source,
    event_id,
    cast(case when place = 1 then amount_minor else 0 end as {{ type_bigint() }}) as amount_minor
from cited
