{#
  The rows behind revenue's numbers. Drill templates import these with context: `run` is the prefix of the run's relations,
  `param` leaves a bound parameter behind. In an own currency each open item brings its MRR; in the reporting currency a
  customer's amount is converted whole, so the customer's first row brings it and the others say what it is made of.
#}

{# The customers of a month that stand at the asked member; `when`: 'now' or 'before' (the member it opened with). #}
{% macro member_customers(month, moment) %}
    select months.*
    from {{ run }}.int_mrr_org_months as months
    where months.month = {{ month }}
        and months.currency = {{ param('currency', 'text') }}
        and {{ param('member', 'text') }} = case {{ param('dimension', 'text') }}
            when 'all' then 'all'
            {%- for dimension in ['segment', 'plan', 'channel', 'partner', 'country', 'motion'] %}
            when '{{ dimension }}' then months.{{ dimension }}_member{% if moment == 'before' %}_before{% endif %}
            {%- endfor %}
        end
{% endmacro %}

{# Items open at one end of a month: `edge` is starts_at or closes_at. A relation. #}
{% macro open_items(month, edge) %}
    select
        items.org_id as org_id,
        items.currency as currency,
        items.source as source,
        items.event_id as event_id,
        items.state_at as at,
        items.mrr_minor as mrr_minor,
        items.item_kind || ' ' || items.product_id || ' of subscription ' || items.subscription_id as detail,
        row_number() over (
            partition by items.org_id
            order by items.currency, items.subscription_id, items.product_id, items.item_id, items.source, items.event_id
        ) as place
    from {{ run }}.int_mrr_items as items
    cross join {{ run }}.int_months as months
    where months.month = {{ month }}
        and items.mrr_minor > 0
        and items.valid_from < months.{{ edge }}
        and (items.valid_to is null or items.valid_to >= months.{{ edge }})
        and ({{ param('currency', 'text') }} like 'reporting:%' or items.currency = {{ param('currency', 'text') }})
{% endmacro %}

{#
  One side: the items of `customers` (a relation with org_id and `whole`, the customer's amount in the asked currency),
  each with its sign. `weight` multiplies (12 makes MRR ARR).
#}
{% macro item_rows(side, customers, items, weight) %}
    select
        '{{ side }}' as side,
        open_items.org_id as org_id,
        'billing' as stream,
        open_items.source as event_source,
        open_items.event_id as event_id,
        open_items.at as at,
        {{ weight }} * case
            when {{ param('currency', 'text') }} not like 'reporting:%' then open_items.mrr_minor
            when open_items.place = 1 then customers.whole
            else 0
        end as amount,
        open_items.detail || ': ' || open_items.currency || ' ' || cast(open_items.mrr_minor as {{ 'String' if target.type == 'clickhouse' else 'varchar' }}) as detail
    from ({{ items }}) as open_items
    inner join ({{ customers }}) as customers on open_items.org_id = customers.org_id
{% endmacro %}

{# Customers of the asked month and member with their amount of `column` (and only those for which `condition` holds). #}
{% macro customers_with(month, moment, column, condition) %}
    select org_id, {{ column }} as whole from ({{ member_customers(month, moment) }}) as chosen where {{ condition }}
{% endmacro %}

{# One kind of movement: what the customers that made it had at the close, less what they had as the month began. #}
{% macro movement_rows(side, kind, sign) %}
    {%- set month = param('month', 'date') -%}
    {%- set own = "case when " ~ param('currency', 'text') ~ " like 'reporting:%' then 0 else 1 end" %}
    {# In the reporting currency the movement is told at one rate, so it stands whole on the last of the customer's rows. #}
    select
        '{{ side }}' as side, rows_of_edges.org_id as org_id, 'billing' as stream, rows_of_edges.source as event_source,
        rows_of_edges.event_id as event_id, rows_of_edges.at as at,
        {{ sign }} * case
            when {{ own }} = 1 then rows_of_edges.direction * rows_of_edges.mrr_minor
            when rows_of_edges.direction * 100000 + rows_of_edges.place = rows_of_edges.bearer then customers.whole
            else 0
        end as amount,
        case when rows_of_edges.direction = 1 then 'close: ' else 'open: ' end || rows_of_edges.detail as detail
    from (
        select edges.*, max(edges.direction * 100000 + edges.place) over (partition by edges.org_id) as bearer
        from (
            select 1 as direction, closing.* from ({{ open_items(month, 'closes_at') }}) as closing
            union all
            select -1 as direction, opening.* from ({{ open_items(month, 'starts_at') }}) as opening
        ) as edges
    ) as rows_of_edges
    inner join ({{ customers_with(month, 'now', kind ~ '_minor', kind ~ '_minor <> 0') }}) as customers
        on rows_of_edges.org_id = customers.org_id
{% endmacro %}

{# Customers as a count: the first of a customer's items brings 1, the others explain. #}
{% macro customer_rows(side, month, moment, condition, edge) %}
    select
        '{{ side }}' as side, open_items.org_id as org_id, 'billing' as stream, open_items.source as event_source,
        open_items.event_id as event_id, open_items.at as at,
        case when open_items.place = 1 then 1 else 0 end as amount, open_items.detail as detail
    from ({{ open_items(month, edge) }}) as open_items
    inner join ({{ customers_with(month, moment, '1', condition) }}) as customers on open_items.org_id = customers.org_id
{% endmacro %}

