{#
  The rows behind revenue, cost and margin. Amounts that a mart rounds once per row are told per event as the step of the rounded
  running sum: each event brings what it changes, and the steps add up to the rounded total.
#}

{# The part of a total that the row brings, where `running` includes it: rounded steps of running × total ÷ whole. #}
{% macro step(running, part, total, whole) -%}
    coalesce({{ sql.div_round('(' ~ running ~ ') * ' ~ total, whole) }}, 0)
        - coalesce({{ sql.div_round('(' ~ running ~ ' - ' ~ part ~ ') * ' ~ total, whole) }}, 0)
{%- endmacro %}

{# Executions of the asked month with what they cost in the currency that their org is billed in. #}
{% macro cost_events() %}
    select
        spent.org_id as org_id, spent.package_id as package_id, spent.currency as currency, spent.source as source,
        spent.event_id as event_id, spent.at as at, spent.type as type,
        case when spent.reported_micros = spent.converted_micros then spent.raw_micros
            else {{ step('spent.running_micros', 'spent.raw_micros', 'spent.converted_micros', 'spent.reported_micros') }}
        end as cost_micros
    from (
        select
            priced.*,
            cast(sum(priced.raw_micros) over (
                partition by priced.org_id, priced.package_id, priced.reported_currency
                order by priced.at, priced.source, priced.event_id rows between unbounded preceding and current row
            ) as {{ sql.type_int128() }}) as running_micros
        from (
            select
                executions.org_id as org_id, executions.package_id as package_id, executions.source as source,
                executions.event_id as event_id, executions.at as at, executions.type as type,
                costs.currency as currency, costs.reported_currency as reported_currency,
                costs.reported_micros as reported_micros, costs.cost_micros as converted_micros,
                case when coalesce(executions.byo_key, false) then 0 else coalesce(executions.cost_micros, 0) end as raw_micros
            from {{ facts('executions') }} as executions
            inner join {{ run }}.int_cost_months as costs
                on executions.org_id = costs.org_id
                and coalesce(executions.package_id, '') = coalesce(costs.package_id, '')
                and coalesce(executions.currency, '') = coalesce(costs.reported_currency, '')
            where costs.month = {{ param('month', 'date') }}
                and costs.currency = {{ param('currency', 'text') }}
                and executions.type <> 'usage.recorded'
                and executions.day >= {{ param('month', 'date') }}
                and executions.day < {{ sql.add_months(param('month', 'date'), 1) }}
        ) as priced
    ) as spent
{% endmacro %}

{# What the lines of invoices earned in the asked month and currency. #}
{% macro revenue_rows(side, condition) %}
    select
        '{{ side }}' as side, earned.org_id as org_id, 'billing' as stream, earned.source as event_source,
        earned.event_id as event_id, earned.at as at, earned.amount_minor as amount,
        'line ' || earned.line_id || ' of invoice ' || earned.invoice_id as detail
    from {{ run }}.int_revenue_months as earned
    where earned.month = {{ param('month', 'date') }} and earned.currency = {{ param('currency', 'text') }} and {{ condition }}
{% endmacro %}

{# Costs in micros. #}
{% macro cost_rows(side, condition) %}
    select
        '{{ side }}' as side, spent.org_id as org_id, 'executions' as stream, spent.source as event_source,
        spent.event_id as event_id, spent.at as at, spent.cost_micros as amount, spent.type as detail
    from ({{ cost_events() }}) as spent
    where {{ condition }}
{% endmacro %}

{# Costs as what they take from a margin, in minor units, rounded once per `key` (org_id or package_id). #}
{% macro margin_cost_rows(side, key, condition) %}
    select
        '{{ side }}' as side, summed.org_id as org_id, 'executions' as stream, summed.source as event_source,
        summed.event_id as event_id, summed.at as at,
        {{ money.micros_to_minor('(summed.running_micros - summed.cost_micros)', 'summed.currency') }}
            - {{ money.micros_to_minor('summed.running_micros', 'summed.currency') }} as amount,
        summed.type || ', cost ' || cast(summed.cost_micros as {{ sql.type_text() }}) || ' micros' as detail
    from (
        select
            spent.*,
            cast(sum(spent.cost_micros) over (
                partition by spent.{{ key }} order by spent.at, spent.source, spent.event_id
                rows between unbounded preceding and current row
            ) as {{ sql.type_int128() }}) as running_micros
        from ({{ cost_events() }}) as spent
        where {{ condition }}
    ) as summed
{% endmacro %}
