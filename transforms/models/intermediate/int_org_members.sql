-- Where each org stood at each month's close: the member of every dimension that numbers are broken down by.
with

grid as (
    select months.month as month, months.closes_at as closes_at, orgs.org_id as org_id
    from {{ ref('int_orgs') }} as orgs
    cross join {{ ref('int_months') }} as months
    where not orgs.is_excluded and orgs.first_seen_at < months.closes_at
),

-- what an org last said of itself by then
described as (
    select
        grid.month as month,
        grid.org_id as org_id,
        states.segment as segment,
        states.country as country,
        states.bill_to_partner_id as bill_to_partner_id,
        row_number() over (
            partition by grid.month, grid.org_id order by states.at desc, states.source desc, states.event_id desc
        ) as recency
    from grid
    inner join {{ ref('stg_installs__orgs') }} as states on grid.org_id = states.org_id
    where states.at < grid.closes_at
),

-- the first signup speaks for the org
signups as (
    select
        signups.*,
        row_number() over (partition by signups.org_id order by signups.at, signups.source, signups.event_id) as place
    from {{ ref('stg_installs__signups') }} as signups
),

-- the last partner who was given the org
referred as (
    select
        grid.month as month,
        grid.org_id as org_id,
        {{ json_text('claims.data', 'partnerId') }} as partner_id,
        row_number() over (
            partition by grid.month, grid.org_id order by claims.at desc, claims.source desc, claims.event_id desc
        ) as recency
    from grid
    inner join {{ ref('fct_crm') }} as claims on grid.org_id = claims.subject
    where claims.type = 'referral.attributed' and claims.at < grid.closes_at
),

-- items that stand at the close, and for who has left those of the last instant at which it paid
standing as (
    select
        grid.month as month,
        grid.org_id as org_id,
        items.item_kind as item_kind,
        items.product_id as product_id,
        items.partner_id as partner_id,
        items.mrr_minor as mrr_minor,
        items.valid_to as valid_to,
        items.valid_to is null or items.valid_to >= grid.closes_at as is_open
    from grid
    inner join {{ ref('int_mrr_items') }} as items on grid.org_id = items.org_id
    where items.valid_from < grid.closes_at
),

payers as (
    select
        month,
        org_id,
        max(case when is_open and mrr_minor > 0 then 1 else 0 end) as is_paying,
        max(case when not is_open and mrr_minor > 0 then valid_to end) as paid_until
    from standing
    group by month, org_id
),

held as (
    select
        standing.month as month,
        standing.org_id as org_id,
        min(case when standing.is_open and standing.item_kind = 'plan' then standing.product_id end) as plan_low,
        max(case when standing.is_open and standing.item_kind = 'plan' then standing.product_id end) as plan_high,
        min(case when {{ counts_for_revenue() }} and standing.item_kind = 'plan' then standing.product_id end) as revenue_plan_low,
        max(case when {{ counts_for_revenue() }} and standing.item_kind = 'plan' then standing.product_id end) as revenue_plan_high,
        min(case when {{ counts_for_revenue() }} then standing.partner_id end) as partner_low,
        max(case when {{ counts_for_revenue() }} then standing.partner_id end) as partner_high
    from standing
    inner join payers on standing.month = payers.month and standing.org_id = payers.org_id
    group by standing.month, standing.org_id
),

segments as (
    select segment, motion from {{ catalog_source('catalog_segments') }}
    where version = (select version from {{ ref('stg_catalog__version_in_force') }})
)

select
    grid.month as month,
    grid.org_id as org_id,
    {{ one_member('held.plan_low', 'held.plan_high') }} as plan_id,
    -- who has left stays where it was, so that leaving is churn there and not a transfer
    {{ one_member('held.revenue_plan_low', 'held.revenue_plan_high') }} as revenue_plan_id,
    coalesce(described.segment, signups.segment, 'none') as segment,
    coalesce(signups.channel, 'none') as channel,
    coalesce(described.country, signups.country, 'none') as country,
    case
        when held.partner_low is not null then {{ one_member('held.partner_low', 'held.partner_high') }}
        else coalesce(described.bill_to_partner_id, referred.partner_id, 'none')
    end as partner_id,
    coalesce(signups.motion, segments.motion, 'none') as motion
from grid
left join described on grid.month = described.month and grid.org_id = described.org_id and described.recency = 1
left join signups on grid.org_id = signups.org_id and signups.place = 1 and signups.at < grid.closes_at
left join referred on grid.month = referred.month and grid.org_id = referred.org_id and referred.recency = 1
left join held on grid.month = held.month and grid.org_id = held.org_id
left join segments on coalesce(described.segment, signups.segment) = segments.segment
