{# Close less open, and open. #}
{% import "drill_revenue.sql" as revenue with context %}
{% set month = param('month', 'date') %}
{% set opening = revenue.customers_with(month, 'before', 'open_minor', 'open_minor > 0') %}
{{ revenue.item_rows('numerator', revenue.customers_with(month, 'now', 'close_minor', 'close_minor > 0'), revenue.open_items(month, 'closes_at'), 1) }}
union all
{{ revenue.item_rows('numerator', opening, revenue.open_items(month, 'starts_at'), -1) }}
union all
{{ revenue.item_rows('denominator', opening, revenue.open_items(month, 'starts_at'), 1) }}
