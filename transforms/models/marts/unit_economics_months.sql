-- The company's margin per month: what its orgs brought in and cost, and how many of them are sold at a loss.
with

sums as (
    select
        month,
        currency,
        {{ int_sum('revenue_minor') }} as revenue_minor,
        {{ int_sum('cost_micros') }} as cost_micros,
        {{ int_sum('executions') }} as executions,
        {{ int_sum('margin_minor') }} as margin_minor,
        cast(count(*) as {{ type_bigint() }}) as orgs,
        {{ int_sum(bool_to_int('is_negative')) }} as negative_orgs,
        is_complete
    from {{ ref('unit_economics_orgs') }}
    group by month, currency, is_complete
)

select
    month,
    currency,
    revenue_minor,
    cost_micros,
    executions,
    {{ div_round('cost_micros', 'executions') }} as cost_per_execution_micros,
    margin_minor,
    {{ ppm('margin_minor', 'revenue_minor') }} as margin_ppm,
    orgs,
    negative_orgs,
    is_complete
from sums
