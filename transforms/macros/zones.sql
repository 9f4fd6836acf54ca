{#
  Calendar days in an IANA zone that comes from a column. Only this direction (instant to day) is needed: "due when as_of
  reaches the start of day D" is "as_of's day is at least D". ClickHouse wants constant zones everywhere but in toString.
#}
{% macro local_date(ts, zone) %}
  {%- if target.type == 'clickhouse' -%} toDate(substring(toString({{ ts }}, {{ zone }}), 1, 10))
  {%- else -%} cast(timezone({{ zone }}, timezone('UTC', {{ ts }})) as date) {%- endif -%}
{% endmacro %}

{# The day that a text names: a date without a time is a date of the zone, an instant falls on a day there. #}
{% macro local_date_of_text(text, zone) %}(case
    when length({{ text }}) = 10 then {{ date_of_text(text) }}
    else {{ local_date(instant(text), zone) }}
  end){% endmacro %}
{% macro date_of_text(text) %}{% if target.type == 'clickhouse' %}toDate(substring({{ text }}, 1, 10)){% else %}cast(substring({{ text }}, 1, 10) as date){% endif %}{% endmacro %}
