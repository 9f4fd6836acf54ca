-- Time from install to first value: the median of the incidence curve, never one over those alone who got there.
with

rolled as (
    {{ rolled_up_clocks(['seconds', 'outcome', 'age_seconds']) }}
),

-- within 15 minutes: only installs that had 15 minutes
counts as (
    select
        package_member, plan_member, channel_member, month_member,
        cast(count(*) as {{ type_bigint() }}) as installs,
        cast(count(case when outcome = 'reached' then 1 end) as {{ type_bigint() }}) as reached,
        cast(count(case when outcome = 'censored' then 1 end) as {{ type_bigint() }}) as censored,
        cast(count(case when outcome = 'competing' then 1 end) as {{ type_bigint() }}) as competing,
        cast(count(case when age_seconds >= 900 then 1 end) as {{ type_bigint() }}) as installs_15m,
        cast(count(case when age_seconds >= 900 and outcome = 'reached' and seconds <= 900 then 1 end) as {{ type_bigint() }}) as reached_15m
    from rolled
    group by package_member, plan_member, channel_member, month_member
),

quantiles as (
    select
        package_id, plan_id, channel, install_month,
        min(case when is_half_reached then seconds end) as median_seconds,
        min(case when is_three_quarters_reached then seconds end) as p75_seconds
    from {{ ref('first_value_curve') }}
    group by package_id, plan_id, channel, install_month
),

-- the plan's word on a whole org's time to value: of several, by phase, the last that had begun
activation_targets as (
    select
        goal,
        row_number() over (
            order by case when period_start is null then 0 else 1 end desc, period_start desc, target_id
        ) as place
    from {{ ref('stg_catalog__targets') }}
    where
        metric = 'median_seconds_to_activation'
        and dimension is null
        and comparator = 'lte'
        and (period_start is null or {{ start_of('period_start') }} < {{ as_of() }})
),

targets as (
    select package_id, target_seconds
    from {{ ref('stg_catalog__packages') }}
    where version = (select version from {{ ref('stg_catalog__version_in_force') }})
    union all
    select '(org)' as package_id, goal as target_seconds
    from activation_targets
    where place = 1
)

select
    counts.package_member as package_id,
    counts.plan_member as plan_id,
    counts.channel_member as channel,
    counts.month_member as install_month,
    counts.installs as installs,
    counts.reached as reached,
    counts.censored as censored,
    counts.competing as competing,
    {{ ppm('counts.reached', 'counts.installs') }} as reached_ppm,
    quantiles.median_seconds as median_seconds,
    quantiles.p75_seconds as p75_seconds,
    counts.installs_15m as installs_15m,
    counts.reached_15m as reached_15m,
    {{ ppm('counts.reached_15m', 'counts.installs_15m') }} as reached_15m_ppm,
    -- 15 minutes unless the catalog says otherwise; a whole org has the catalog's target or none
    case when counts.package_member = '(org)' then targets.target_seconds else coalesce(targets.target_seconds, 900) end as target_seconds
from counts
left join quantiles
    on counts.package_member = quantiles.package_id
    and counts.plan_member = quantiles.plan_id
    and counts.channel_member = quantiles.channel
    and counts.month_member = quantiles.install_month
left join targets on counts.package_member = targets.package_id
