{# Customers with MRR at a month's close. #}
{% import "drill_revenue.sql" as revenue with context %}
{{ revenue.customer_rows('value', param('month', 'date'), 'now', 'close_minor > 0', 'closes_at') }}
