{# Net retention: what the customers of window_months ago pay now, and what they paid then; by their member of then. #}
{% import "portable.sql" as portable with context %}
{% import "drill_revenue.sql" as revenue with context %}
{% set month = param('month', 'date') %}
{% set base_month = portable.add_months(month, '-' ~ param('window_months', 'bigint')) %}
{% set base = revenue.customers_with(base_month, 'now', 'close_minor', 'close_minor > 0') %}
{% set still %}
    select now.org_id as org_id, now.close_minor as whole
    from {{ run }}.int_mrr_org_months as now
    inner join ({{ base }}) as base on now.org_id = base.org_id
    where now.month = {{ month }} and now.currency = {{ param('currency', 'text') }} and now.close_minor > 0
{% endset %}
{{ revenue.item_rows('numerator', still, revenue.open_items(month, 'closes_at'), 1) }}
union all
{{ revenue.item_rows('denominator', base, revenue.open_items(base_month, 'closes_at'), 1) }}
