{# Where an identity is looked at, as one text: 2026-10 USD plan pro. The first column is a month. #}
{% macro scope(columns) %}{{ month_text(columns[0]) }}{% for column in columns[1:] %} || ' ' || {{ column }}{% endfor %}{% endmacro %}
