-- One page per org and month: what it was, had, used, paid and cost.
with

-- every currency in which an org has money that month; an org without money still has its month
moneys as (
    select month, org_id, currency, 0 as mrr_minor, revenue_minor, cost_micros, margin_minor, executions
    from {{ ref('unit_economics_orgs') }}
    union all
    select
        months.month as month, items.org_id as org_id, items.currency as currency, items.mrr_minor as mrr_minor,
        0 as revenue_minor, 0 as cost_micros, 0 as margin_minor, 0 as executions
    from {{ ref('int_mrr_items') }} as items
    cross join {{ ref('int_months') }} as months
    where
        items.mrr_minor <> 0
        and items.valid_from < months.closes_at
        and (items.valid_to is null or items.valid_to >= months.closes_at)
),

sums as (
    select
        month, org_id, currency,
        {{ int_sum('mrr_minor') }} as mrr_minor,
        {{ int_sum('revenue_minor') }} as revenue_minor,
        {{ int_sum('cost_micros') }} as cost_micros,
        {{ int_sum('margin_minor') }} as margin_minor,
        {{ int_sum('executions') }} as executions
    from moneys
    group by month, org_id, currency
),

installs as (
    select month, org_id, {{ int_sum('open_installs') }} as open_installs
    from {{ ref('int_held_items') }}
    where item_kind = 'package'
    group by month, org_id
)

select
    members.month as month,
    members.org_id as org_id,
    coalesce(sums.currency, 'none') as currency,
    orgs.name as name,
    members.plan_id as plan_id,
    members.segment as segment,
    coalesce(sums.mrr_minor, 0) as mrr_minor,
    coalesce(installs.open_installs, 0) as active_installs,
    coalesce(sums.executions, 0) as executions,
    coalesce(sums.revenue_minor, 0) as revenue_minor,
    coalesce(sums.cost_micros, 0) as cost_micros,
    coalesce(sums.margin_minor, 0) as margin_minor,
    months.is_complete as is_complete
from {{ ref('int_org_members') }} as members
inner join {{ ref('int_orgs') }} as orgs on members.org_id = orgs.org_id
inner join {{ ref('int_months') }} as months on members.month = months.month
left join sums on members.month = sums.month and members.org_id = sums.org_id
left join installs on members.month = installs.month and members.org_id = installs.org_id
