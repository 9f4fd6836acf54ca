{# MRR that came as new in a month: closing items less opening items of the customers concerned. #}
{% import "drill_revenue.sql" as revenue with context %}
{{ revenue.movement_rows('value', 'new', 1) }}
