-- How many installs have given a first value by each second, as the Aalen–Johansen estimate with uninstalling as the competing end.
--
-- The survival S (neither reached nor uninstalled) is the product of (1 − stopped ÷ at risk). It is summed as ln(at risk − stopped)
-- − ln(at risk), each logarithm of a whole number rounded to an integer ×10⁻¹²: where nobody is censored in between the terms cancel
-- exactly, and the order of a parallel sum is of no account. Each step of S is then shared between value and uninstall, so that
-- incidence + uninstalled + S = 1 to the last digit, and without uninstalls incidence is 1 − S, Kaplan and Meier's.
with

rolled as (
    {{ rolled_up_clocks(['seconds', 'outcome']) }}
),

-- censored ones leave after those who stopped at the same second: they still count as at risk there
steps as (
    select
        package_member, plan_member, channel_member, month_member, seconds,
        cast(count(case when outcome = 'reached' then 1 end) as {{ type_bigint() }}) as reached_now,
        cast(count(case when outcome = 'competing' then 1 end) as {{ type_bigint() }}) as uninstalled_now,
        cast(count(*) as {{ type_bigint() }}) as left_now
    from rolled
    group by package_member, plan_member, channel_member, month_member, seconds
),

risks as (
    select
        package_member, plan_member, channel_member, month_member, seconds, reached_now, uninstalled_now,
        cast(sum(left_now) over (
            partition by package_member, plan_member, channel_member, month_member
            order by seconds rows between current row and unbounded following
        ) as {{ type_bigint() }}) as at_risk_now
    from steps
),

log_sums as (
    select
        package_member, plan_member, channel_member, month_member, seconds, reached_now, uninstalled_now, at_risk_now,
        sum(cast(
            {{ trillionths('ln(greatest(at_risk_now - reached_now - uninstalled_now, 1))') }} - {{ trillionths('ln(at_risk_now)') }}
            as {{ type_int128() }}
        )) over (
            partition by package_member, plan_member, channel_member, month_member
            order by seconds rows between unbounded preceding and current row
        ) as log_survival
    from risks
    where reached_now + uninstalled_now > 0
),

survivals as (
    select
        package_member, plan_member, channel_member, month_member, seconds, reached_now, uninstalled_now, at_risk_now,
        -- ln 0 has no number: where the last ones at risk stop, survival is 0
        case
            when at_risk_now = reached_now + uninstalled_now then 0
            else {{ trillionths('exp(log_survival / 1000000000000)') }}
        end as survival
    from log_sums
),

drops as (
    select
        package_member, plan_member, channel_member, month_member, seconds, reached_now, uninstalled_now, at_risk_now, survival,
        lag(survival, 1, cast(1000000000000 as {{ type_bigint() }})) over (
            partition by package_member, plan_member, channel_member, month_member order by seconds
        ) - survival as survival_drop
    from survivals
),

incidences as (
    select
        package_member, plan_member, channel_member, month_member, seconds, reached_now, uninstalled_now, at_risk_now, survival,
        cast(sum(case
            when uninstalled_now = 0 then survival_drop
            when reached_now = 0 then 0
            else {{ div_round('cast(survival_drop as ' ~ type_int128() ~ ') * reached_now', 'reached_now + uninstalled_now') }}
        end) over (
            partition by package_member, plan_member, channel_member, month_member
            order by seconds rows between unbounded preceding and current row
        ) as {{ type_bigint() }}) as incidence
    from drops
)

select
    package_member as package_id,
    plan_member as plan_id,
    channel_member as channel,
    month_member as install_month,
    seconds,
    at_risk_now as at_risk,
    reached_now as reached,
    uninstalled_now as competing,
    {{ near_ppm('survival') }} as survival_ppm,
    {{ near_ppm('incidence') }} as incidence_ppm,
    {{ has_reached('incidence', 500000000000) }} as is_half_reached,
    {{ has_reached('incidence', 750000000000) }} as is_three_quarters_reached
from incidences
