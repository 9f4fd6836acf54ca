{# Gross retention: of each customer of window_months ago the lower of then and now, and what they paid then. #}
{% import "portable.sql" as portable with context %}
{% import "drill_revenue.sql" as revenue with context %}
{% set month = param('month', 'date') %}
{% set base_month = portable.add_months(month, '-' ~ param('window_months', 'bigint')) %}
{% set base = revenue.customers_with(base_month, 'now', 'close_minor', 'close_minor > 0') %}
{% set both %}
    select now.org_id as org_id, base.whole as then_minor, now.close_minor as now_minor
    from {{ run }}.int_mrr_org_months as now
    inner join ({{ base }}) as base on now.org_id = base.org_id
    where now.month = {{ month }} and now.currency = {{ param('currency', 'text') }} and now.close_minor > 0
{% endset %}
{% set less_now %}select org_id, now_minor as whole from ({{ both }}) as less where now_minor < then_minor{% endset %}
{% set less_then %}select org_id, then_minor as whole from ({{ both }}) as less where then_minor <= now_minor{% endset %}
{{ revenue.item_rows('numerator', less_now, revenue.open_items(month, 'closes_at'), 1) }}
union all
{{ revenue.item_rows('numerator', less_then, revenue.open_items(base_month, 'closes_at'), 1) }}
union all
{{ revenue.item_rows('denominator', base, revenue.open_items(base_month, 'closes_at'), 1) }}
