-- What each package did in each week (from Monday, UTC): executions by the week in which they ended, installs open at its close.
with

-- numbers that add up over days; a closing week's running installs follow from those that began and ended
facts as (
    select
        {{ week_start('days.day') }} as week,
        days.package_id as package_id,
        days.started as started,
        days.completed as completed,
        days.failed as failed,
        days.canceled as canceled,
        days.interventions as interventions,
        days.saved_minutes as saved_minutes,
        0 as opened,
        0 as ended
    from {{ ref('fct_execution_days') }} as days
    inner join {{ ref('int_orgs') }} as orgs on days.org_id = orgs.org_id and not orgs.is_excluded
    where days.package_id is not null
    union all
    select {{ week_start('created_at') }} as week, package_id, 0, 0, 0, 0, 0, cast(0 as {{ type_decimal() }}), 1, 0
    from {{ ref('int_installs') }}
    union all
    select {{ week_start('ended_at') }} as week, package_id, 0, 0, 0, 0, 0, cast(0 as {{ type_decimal() }}), 0, 1
    from {{ ref('int_installs') }}
    where ended_at is not null
),

weeks as (
    select
        week,
        package_id,
        {{ int_sum('started') }} as started,
        {{ int_sum('completed') }} as completed,
        {{ int_sum('failed') }} as failed,
        {{ int_sum('canceled') }} as canceled,
        {{ int_sum('interventions') }} as interventions,
        cast(sum(saved_minutes) as {{ type_decimal() }}) as saved_minutes,
        {{ int_sum('opened') }} - {{ int_sum('ended') }} as opened_net
    from facts
    group by week, package_id
),

-- every week from a package's first sign of life to as-of, quiet ones too
spans as (
    select package_id, min(week) as first_week from weeks group by package_id
),

spine as (
    select {{ add_days('spans.first_week', 'numbers.n * 7') }} as week, spans.package_id as package_id
    from spans
    cross join {{ number_spine(3000) }} as numbers
    where {{ start_of(add_days('spans.first_week', 'numbers.n * 7')) }} < {{ as_of() }}
)

select
    spine.week as week,
    spine.package_id as package_id,
    coalesce(weeks.started, 0) as started,
    coalesce(weeks.completed + weeks.failed + weeks.canceled, 0) as executions,
    coalesce(weeks.completed, 0) as completed,
    coalesce(weeks.failed, 0) as failed,
    coalesce(weeks.canceled, 0) as canceled,
    {{ ppm('weeks.completed', 'weeks.completed + weeks.failed') }} as completion_ppm,
    coalesce(weeks.completed + weeks.failed, 0) as completions_or_failures,
    coalesce(weeks.interventions, 0) as interventions,
    {{ ppm('weeks.interventions', 'weeks.completed + weeks.failed') }} as intervention_ppm,
    cast(coalesce(weeks.saved_minutes, 0) as {{ type_decimal() }}) as saved_minutes,
    cast(sum(coalesce(weeks.opened_net, 0)) over (
        partition by spine.package_id order by spine.week rows between unbounded preceding and current row
    ) as {{ type_bigint() }}) as active_installs,
    cast({{ start_of(add_days('spine.week', 7)) }} <= {{ as_of() }} as {{ type_boolean() }}) as is_complete
from spine
left join weeks on spine.week = weeks.week and spine.package_id = weeks.package_id
