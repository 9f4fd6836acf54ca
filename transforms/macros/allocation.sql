{#
  Splits total_minor of each key over its rows by weight_minor, to the last minor unit: largest remainder, ties to the
  lower place (core/money.ts, allocate). Adds share_minor. Weights may be negative (an invoice's credit line) as long as
  they sum to more than 0; otherwise every share is 0.

  relation must have the columns of `key`, and total_minor, weight_minor, place.
#}
{% macro allocate(relation, key) %}
    select
        floored.*,
        case
            when weight_sum is null or weight_sum <= 0 then 0
            -- floors never exceed the total: what they leave is less than one unit per row
            when row_number() over (partition by {{ key | join(', ') }} order by remainder desc, place)
                <= total_minor - sum(floor_minor) over (partition by {{ key | join(', ') }})
                then floor_minor + 1
            else floor_minor
        end as share_minor
    from (
        select
            weighed.*,
            {{ floor_div('wide_product', 'weight_sum') }} as floor_minor,
            wide_product - {{ floor_div('wide_product', 'weight_sum') }} * cast(weight_sum as {{ type_int128() }}) as remainder
        from (
            select
                to_split.*,

                {{ wide("total_minor") }} * {{ wide("weight_minor") }} as wide_product,
                cast(sum(weight_minor) over (partition by {{ key | join(', ') }}) as {{ type_bigint() }}) as weight_sum
            from {{ relation }} as to_split
        ) as weighed
    ) as floored
{% endmacro %}

{# num / den towards minus infinity, for a den above 0; NULL when den is 0. #}
{% macro floor_div(num, den) %}
  {%- set n = 'cast(' ~ num ~ ' as ' ~ type_int128() ~ ')' -%}
  {%- set d = 'nullif(cast(' ~ den ~ ' as ' ~ type_int128() ~ '), 0)' -%}
  {%- if target.type == 'clickhouse' -%}
    cast((case when {{ n }} >= 0 then intDiv({{ n }}, {{ d }}) else -intDiv({{ d }} - 1 - {{ n }}, {{ d }}) end) as {{ type_bigint() }})
  {%- else -%}
    cast((case when {{ n }} >= 0 then {{ n }} // {{ d }} else -(({{ d }} - 1 - {{ n }}) // {{ d }}) end) as {{ type_bigint() }})
  {%- endif -%}
{% endmacro %}

{# Products of two amounts outgrow 64 bits. #}
{% macro wide(expression) %}cast({{ expression }} as {{ type_int128() }}){% endmacro %}

{# The sum of a group's rows up to this one. #}
{% macro running_sum(expression, key, order) %}cast(sum({{ expression }}) over (
            partition by {{ key }} order by {{ order }} rows between unbounded preceding and current row
        ) as {{ type_bigint() }}){% endmacro %}

{# What a line still asks for after its credits: never below 0, and a line that gives money asks for what it gives. #}
{% macro less_credit(gross, credit) %}(case
            when {{ gross }} <= 0 then {{ gross }}
            else greatest({{ gross }} - coalesce({{ credit }}, 0), 0)
        end){% endmacro %}
