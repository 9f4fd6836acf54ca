-- The months that a run speaks of: from the first event's (or its effective date's) to the one that as_of cuts.
with

firsts as (
    select min(first_at) as first_at from {{ ref('fct_execution_days') }}
    union all
    select min(installs.at) as first_at from {{ ref('fct_installs') }} as installs
    union all
    select min(billing.at) as first_at from {{ ref('fct_billing') }} as billing
    union all
    select min({{ json_instant('data', 'effectiveAt') }}) as first_at from {{ ref('fct_billing') }}
    where type like 'subscription.%' and {{ json_text('data', 'effectiveAt') }} is not null
    union all
    select min(crm.at) as first_at from {{ ref('fct_crm') }} as crm
),

origin as (
    select {{ month_start('min(first_at)') }} as first_month from firsts
),

months as (
    select {{ add_months('origin.first_month', 'spine.n') }} as month
    from origin
    cross join {{ number_spine(2400) }} as spine
    where origin.first_month is not null
        and spine.n <= {{ month_number(day_of(as_of())) }} - {{ month_number('origin.first_month') }}
)

select
    month,
    {{ start_of('month') }} as starts_at,
    least({{ start_of(add_months('month', 1)) }}, {{ as_of() }}) as closes_at,
    cast({{ start_of(add_months('month', 1)) }} <= {{ as_of() }} as {{ type_boolean() }}) as is_complete
from months
where {{ start_of('month') }} < {{ as_of() }}
