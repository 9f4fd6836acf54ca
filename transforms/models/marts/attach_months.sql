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
)

select
    counts.month as month,
    counts.dimension as dimension,
    counts.member as member,
    counts.active_orgs as active_orgs,
    counts.active_installs as active_installs,
    {{ ppm('counts.active_installs', 'counts.active_orgs') }} as packages_per_org_ppm,
    {{ ppm('counts.active_installs', 'counts.active_orgs') }}
        - {{ ppm('before.active_installs', 'before.active_orgs') }} as packages_per_org_change_ppm,
    months.is_complete as is_complete
from counts
inner join {{ ref('int_months') }} as months on counts.month = months.month
left join counts as before
    on counts.dimension = before.dimension
    and counts.member = before.member
    and before.month = {{ add_months('counts.month', -1) }}
