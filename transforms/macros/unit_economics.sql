{# Revenue beside cost per month, currency and `key` (org_id or package_id). Cost is rounded to minor units once per row. #}
{% macro unit_economics(key) %}
with

sides as (
    select month, {{ key }} as member, currency, amount_minor as earned_minor, 0 as spent_micros, 0 as ended_executions
    from {{ ref('int_revenue_months') }}
    where {{ key }} is not null
    union all
    select month, {{ key }} as member, currency, 0 as earned_minor, cost_micros as spent_micros, executions as ended_executions
    from {{ ref('int_cost_months') }}
    where {{ key }} is not null
),

sums as (
    select
        month,
        member,
        currency,
        {{ int_sum('earned_minor') }} as revenue_minor,
        {{ int_sum('spent_micros') }} as cost_micros,
        {{ int_sum('ended_executions') }} as executions
    from sides
    group by month, member, currency
),

margins as (
    select
        month, member, currency, revenue_minor, cost_micros, executions,
        revenue_minor - {{ micros_to_minor('cost_micros', 'currency') }} as margin_minor
    from sums
)

select
    margins.month as month,
    margins.member as {{ key }},
    margins.currency as currency,
    margins.revenue_minor as revenue_minor,
    margins.cost_micros as cost_micros,
    margins.executions as executions,
    {{ div_round('margins.cost_micros', 'margins.executions') }} as cost_per_execution_micros,
    margins.margin_minor as margin_minor,
    {{ ppm('margins.margin_minor', 'margins.revenue_minor') }} as margin_ppm,
    cast(margins.margin_minor < 0 as {{ type_boolean() }}) as is_negative,
    months.is_complete as is_complete
from margins
inner join {{ ref('int_months') }} as months on margins.month = months.month
{% endmacro %}
