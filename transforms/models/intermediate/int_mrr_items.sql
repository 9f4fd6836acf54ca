-- What each subscription item adds to MRR, over half-open time. A row begins where a state, a trial's end or a discount's
-- end changes something; no row where the status counts for nothing. A trial's rows are there with 0 (is_trial).
with

-- states in their order: (effective_at, at, source, event_id); the next one ends the one before
states as (
    select
        numbered.*,
        row_number() over (
            partition by numbered.org_id, numbered.subscription_id
            order by numbered.effective_at, numbered.at, numbered.source, numbered.event_id
        ) as place
    from {{ ref('stg_billing__subscription_states') }} as numbered
    inner join {{ ref('int_orgs') }} as orgs on numbered.org_id = orgs.org_id and not orgs.is_excluded
),

spans as (
    select
        this.*,
        following.effective_at as ends_at,
        following.source as end_source,
        following.event_id as end_event_id,
        -- what the state was followed by: a rest is told from an end
        case
            when following.source is null then {{ null_of(type_text()) }}
            when following.status = 'paused' then 'pause'
            when following.status in ('active', 'past_due', 'trialing') then 'change'
            else 'cancel'
        end as end_kind
    from states as this
    left join states as following
        on this.org_id = following.org_id
        and this.subscription_id = following.subscription_id
        and this.place + 1 = following.place
    where this.status in ('active', 'past_due', 'trialing')
        and (following.effective_at is null or following.effective_at > this.effective_at)
),

discount_elements as (
    select spans.source as source, spans.event_id as event_id, {{ json_indexed_elements('spans.discounts', 'value') }} as element
    from (
        select source, event_id, '{"value":' || discounts || '}' as discounts from spans where discounts is not null
    ) as spans
),

discounts as (
    select
        source,
        event_id,
        {{ json_int('element', 'index') }} as place,
        {{ json_decimal(json_object('element', 'value'), 'percentOff') }} as percent_off,
        coalesce({{ json_int(json_object('element', 'value'), 'amountOffMinor') }}, 0) as amount_off_minor,
        {{ json_instant(json_object('element', 'value'), 'endsAt') }} as ends_at
    from discount_elements
),

-- instants inside a state at which its MRR may change by itself
borders as (
    select source, event_id, effective_at as starts_at from spans
    union distinct
    select source, event_id, trial_ends_at as starts_at from spans
    where trial_ends_at > effective_at and (ends_at is null or trial_ends_at < ends_at)
    union distinct
    select spans.source as source, spans.event_id as event_id, discounts.ends_at as starts_at
    from spans
    inner join discounts on spans.source = discounts.source and spans.event_id = discounts.event_id
    where discounts.ends_at > spans.effective_at and (spans.ends_at is null or discounts.ends_at < spans.ends_at)
),

numbered_borders as (
    select borders.*, row_number() over (partition by source, event_id order by starts_at) as place from borders
),

pieces as (
    select
        here.source as source,
        here.event_id as event_id,
        here.place as piece,
        here.starts_at as starts_at,
        -- a state's own borders first, its end last
        coalesce(following.starts_at, spans.ends_at) as ends_at,
        case when following.starts_at is null then spans.end_source else here.source end as end_source,
        case when following.starts_at is null then spans.end_event_id else here.event_id end as end_event_id,
        case when following.starts_at is null then spans.end_kind else 'change' end as end_kind,
        spans.org_id as org_id,
        spans.subscription_id as subscription_id,
        spans.currency as currency,
        spans.partner_id as partner_id,
        spans.at as state_at,
        coalesce(
            spans.trial_ends_at > here.starts_at or (spans.status = 'trialing' and spans.trial_ends_at is null), false
        ) as is_trial,
        spans.items as items
    from numbered_borders as here
    inner join spans on here.source = spans.source and here.event_id = spans.event_id
    left join numbered_borders as following
        on here.source = following.source
        and here.event_id = following.event_id
        and here.place + 1 = following.place
),

-- discounts at work in a piece: percentages multiply (×10⁻¹², one rounding per percentage beyond the second), amounts add up
discounts_at_work as (
    select
        pieces.source as source,
        pieces.event_id as event_id,
        pieces.piece as piece,
        discounts.amount_off_minor as amount_off_minor,
        1000000 - {{ round_decimal('discounts.percent_off * 10000') }} as kept_ppm,
        case
            when discounts.percent_off is null then 0
            else row_number() over (
                partition by pieces.source, pieces.event_id, pieces.piece, discounts.percent_off is null order by discounts.place
            )
        end as percentage
    from pieces
    inner join discounts on pieces.source = discounts.source and pieces.event_id = discounts.event_id
    where discounts.ends_at is null or discounts.ends_at > pieces.starts_at
),

piece_discounts as (
    select
        source,
        event_id,
        piece,
        {{ int_sum('amount_off_minor') }} as amount_off_minor,
        {%- for nth in range(1, 7) %}
        coalesce(max(case when percentage = {{ nth }} then kept_ppm end), 1000000) as kept_{{ nth }},
        {%- endfor %}
        max(percentage) as percentages
    from discounts_at_work
    group by source, event_id, piece
),

item_elements as (
    select
        pieces.source as source, pieces.event_id as event_id, pieces.piece as piece,
        {{ json_indexed_elements('pieces.wrapped', 'value') }} as element
    from (
        select source, event_id, piece, '{"value":' || items || '}' as wrapped from pieces where items is not null
    ) as pieces
),

item_fields as (
    select source, event_id, piece, {{ json_int('element', 'index') }} as place, {{ json_object('element', 'value') }} as item
    from item_elements
),

-- a price for one interval times months_num / months_den is a price for one month
items as (
    select
        source,
        event_id,
        piece,
        place,
        {{ json_text('item', 'itemId') }} as item_id,
        {{ json_text('item', 'kind') }} as item_kind,
        coalesce({{ json_text('item', 'productId') }}, {{ json_text('item', 'itemId') }}) as product_id,
        coalesce({{ json_decimal('item', 'quantity') }}, 1) as quantity,
        {{ round_decimal('coalesce(' ~ json_decimal('item', 'quantity') ~ ', 1) * 1000000') }} as quantity_micros,
        {{ json_int('item', 'unitAmountMinor') }} as unit_amount_minor,
        case {{ json_text('item', 'interval') }} when 'week' then 52 else 1 end as months_num,
        coalesce({{ json_int('item', 'intervalCount') }}, 1)
            * case {{ json_text('item', 'interval') }} when 'month' then 1 when 'quarter' then 3 else 12 end as months_den
    from item_fields
    where {{ json_text('item', 'interval') }} is not null
),

priced as (
    select
        items.*,
        {{ wide('items.quantity_micros') }} * items.unit_amount_minor as amount_micros,
        coalesce({{ percent_product('piece_discounts') }}, 1000000000000) as kept_share,
        coalesce(piece_discounts.amount_off_minor, 0) as amount_off_minor,
        min(items.months_num * 100000 + items.months_den) over (partition by items.source, items.event_id, items.piece)
            = max(items.months_num * 100000 + items.months_den) over (partition by items.source, items.event_id, items.piece) as is_one_interval
    from items
    left join piece_discounts
        on items.source = piece_discounts.source
        and items.event_id = piece_discounts.event_id
        and items.piece = piece_discounts.piece
),

-- an amount off is taken per billing interval, so items of one interval are rounded once, after it; items of several
-- intervals only meet in the month
weighed as (
    select
        priced.*,
        {{ div_round('priced.amount_micros * priced.months_num', wide('priced.months_den') ~ ' * 1000000') }} as gross_minor,
        {{ div_round('priced.amount_micros * priced.kept_share * priced.months_num', wide('priced.months_den') ~ ' * 1000000000000000000') }} as after_percent_minor,
        greatest(case
            when priced.is_one_interval then {{ div_round('priced.amount_micros', '1000000') }}
            else {{ div_round('priced.amount_micros * priced.months_num', wide('priced.months_den') ~ ' * 1000000') }}
        end, 0) as weight_minor,
        case
            when priced.is_one_interval then priced.amount_off_minor
            else {{ div_round('priced.amount_off_minor * min(priced.months_num) over (partition by priced.source, priced.event_id, priced.piece)', 'min(priced.months_den) over (partition by priced.source, priced.event_id, priced.piece)') }}
        end as asked_off_minor
    from priced
),

capped as (
    select
        weighed.*,
        -- no more can be taken off than the items ask for
        cast(least(
            {{ wide('weighed.asked_off_minor') }},
            {{ int_div('sum(' ~ wide('weighed.weight_minor') ~ ' * weighed.kept_share) over (partition by weighed.source, weighed.event_id, weighed.piece)', '1000000000000') }}
        ) as {{ type_bigint() }}) as total_minor
    from weighed
),

netted as (
    select
        shares.*,
        case
            when shares.amount_off_minor = 0 then shares.after_percent_minor
            when shares.is_one_interval then greatest(0, {{ div_round(
                '(shares.amount_micros * shares.kept_share - ' ~ wide('shares.share_minor') ~ ' * 1000000000000000000) * shares.months_num',
                wide('shares.months_den') ~ ' * 1000000000000000000'
            ) }})
            else greatest(0, shares.after_percent_minor - shares.share_minor)
        end as net_minor
    from ({{ allocate('capped', ['source', 'event_id', 'piece']) }}) as shares
)

select
    pieces.org_id as org_id,
    pieces.subscription_id as subscription_id,
    netted.item_id as item_id,
    netted.product_id as product_id,
    netted.item_kind as item_kind,
    pieces.currency as currency,
    pieces.partner_id as partner_id,
    pieces.starts_at as valid_from,
    pieces.ends_at as valid_to,
    pieces.is_trial as is_trial,
    netted.quantity as quantity,
    netted.quantity_micros as quantity_micros,
    netted.unit_amount_minor as unit_amount_minor,
    netted.kept_share as kept_share,
    -- list price per month, the same after percentages, and what counts
    case when pieces.is_trial then 0 else netted.gross_minor end as gross_minor,
    case when pieces.is_trial then 0 else netted.after_percent_minor end as after_percent_minor,
    cast(case when pieces.is_trial then 0 else netted.net_minor end as {{ type_bigint() }}) as mrr_minor,
    pieces.source as source,
    pieces.event_id as event_id,
    pieces.state_at as state_at,
    pieces.end_source as end_source,
    pieces.end_event_id as end_event_id,
    pieces.end_kind as end_kind
from netted
inner join pieces
    on netted.source = pieces.source
    and netted.event_id = pieces.event_id
    and netted.piece = pieces.piece
