-- How many installs an active org has on average, at each month's close, and how that moved since the month before.
with

-- open installs of each active org; installs of other orgs do not count
orgs as (
    select
        active.month as month,
        active.org_id as org_id,
        members.segment as segment,
        members.plan_id as plan_id,
        members.channel as channel,
        members.partner_id as partner_id,
        members.country as country,
        members.motion as motion,
        coalesce(installs.open_installs, 0) as open_installs
    from {{ ref('int_active_org_months') }} as active
    inner join {{ ref('int_org_members') }} as members on active.month = members.month and active.org_id = members.org_id
    left join (
        select month, org_id, {{ int_sum('open_installs') }} as open_installs
        from {{ ref('int_held_items') }}
        where item_kind = 'package'
        group by month, org_id
    ) as installs on active.month = installs.month and active.org_id = installs.org_id
),

-- all, and one dimension at a time beside it
by_member as (
    select month, 'all' as dimension, 'all' as member, 0 as orgs, 0 as open_installs from {{ ref('int_months') }}
    union all
    select month, 'all' as dimension, 'all' as member, 1 as orgs, open_installs from orgs
    {%- for dimension, column in [('segment', 'segment'), ('plan', 'plan_id'), ('channel', 'channel'), ('partner', 'partner_id'), ('country', 'country'), ('motion', 'motion')] %}
    union all
    select month, '{{ dimension }}' as dimension, coalesce({{ column }}, 'none') as member, 1 as orgs, open_installs from orgs
    {%- endfor %}
),

counts as (
    select
        month,
        dimension,
        member,
        {{ int_sum('orgs') }} as active_orgs,
        {{ int_sum('open_installs') }} as active_installs
    from by_member
    group by month, dimension, member
),

rates as (
    select month, dimension, member, active_orgs, active_installs, {{ ppm('active_installs', 'active_orgs') }} as packages_per_org_ppm
    from counts
)

select
    rates.month as month,
    rates.dimension as dimension,
    rates.member as member,
    rates.active_orgs as active_orgs,
    rates.active_installs as active_installs,
    rates.packages_per_org_ppm as packages_per_org_ppm,
    previous.packages_per_org_ppm as previous_packages_per_org_ppm,
    rates.packages_per_org_ppm - previous.packages_per_org_ppm as packages_per_org_change_ppm,
    {{ ppm('(rates.packages_per_org_ppm - previous.packages_per_org_ppm)', 'previous.packages_per_org_ppm') }} as packages_per_org_growth_ppm,
    months.is_complete as is_complete
from rates
inner join {{ ref('int_months') }} as months on rates.month = months.month
left join rates as previous
    on rates.dimension = previous.dimension
    and rates.member = previous.member
    and previous.month = {{ add_months('rates.month', -1) }}
