{# Average MRR per customer: the MRR, and the customers. #}
{% import "drill_revenue.sql" as revenue with context %}
{% set month = param('month', 'date') %}
{{ revenue.item_rows('numerator', revenue.customers_with(month, 'now', 'close_minor', 'close_minor > 0'), revenue.open_items(month, 'closes_at'), 1) }}
union all
{{ revenue.customer_rows('denominator', month, 'now', 'close_minor > 0', 'closes_at') }}
