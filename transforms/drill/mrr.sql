{# MRR at a month's close. #}
{% import "drill_revenue.sql" as revenue with context %}
{% set month = param('month', 'date') %}
{{ revenue.item_rows('value', revenue.customers_with(month, 'now', 'close_minor', 'close_minor > 0'), revenue.open_items(month, 'closes_at'), 1) }}
