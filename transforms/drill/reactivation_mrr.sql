{# MRR that came as reactivation in a month: closing items less opening items of the customers concerned. #}
{% import "drill_revenue.sql" as revenue with context %}
{{ revenue.movement_rows('value', 'reactivation', 1) }}
