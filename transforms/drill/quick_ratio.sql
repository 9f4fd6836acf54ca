{# What came (new, reactivation, expansion), and what went (contraction, churn). #}
{% import "drill_revenue.sql" as revenue with context %}
{{ revenue.movement_rows('numerator', 'new', 1) }}
union all
{{ revenue.movement_rows('numerator', 'reactivation', 1) }}
union all
{{ revenue.movement_rows('numerator', 'expansion', 1) }}
union all
{{ revenue.movement_rows('denominator', 'contraction', -1) }}
union all
{{ revenue.movement_rows('denominator', 'churn', -1) }}
