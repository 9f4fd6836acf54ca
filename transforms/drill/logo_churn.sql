{# Customers who left, and customers as the month began. #}
{% import "drill_revenue.sql" as revenue with context %}
{% set month = param('month', 'date') %}
{{ revenue.customer_rows('numerator', month, 'now', 'open_minor > 0 and close_minor = 0', 'starts_at') }}
union all
{{ revenue.customer_rows('denominator', month, 'before', 'open_minor > 0', 'starts_at') }}
