{# MRR that went as churn in a month, as a magnitude: opening items less closing items of the customers concerned. #}
{% import "drill_revenue.sql" as revenue with context %}
{{ revenue.movement_rows('value', 'churn', -1) }}
