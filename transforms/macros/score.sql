{% macro type_double() %}{% if target.type == 'clickhouse' %}Float64{% else %}double{% endif %}{% endmacro %}
{# Text as a decimal; NULL when it is not one. #}
{% macro decimal_or_null(text) %}
  {%- if target.type == 'clickhouse' -%} toDecimal128OrNull({{ text }}, 12)
  {%- else -%} try_cast({{ text }} as {{ type_decimal() }}) {%- endif -%}
{% endmacro %}
