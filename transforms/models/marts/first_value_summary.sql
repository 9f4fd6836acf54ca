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

targets as (
    select package_id, target_seconds
    from {{ ref('stg_catalog__packages') }}
    where version = (select version from {{ ref('stg_catalog__version_in_force') }})
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
    -- 15 minutes unless the catalog says otherwise; activation of a whole org is judged by the catalog's targets alone
    case when counts.package_member = '(org)' then null else coalesce(targets.target_seconds, 900) end as target_seconds
from counts
left join quantiles
    on counts.package_member = quantiles.package_id
    and counts.plan_member = quantiles.plan_id
    and counts.channel_member = quantiles.channel
    and counts.month_member = quantiles.install_month
left join targets on counts.package_member = targets.package_id
