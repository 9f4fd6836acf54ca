{# The margin of all orgs together, and their revenue. #}
{% import "portable.sql" as sql with context %}
{% from "portable.sql" import div_round with context %}
{% import "currency.sql" as money with context %}
{% import "drill_unit_economics.sql" as economics with context %}
{{ economics.revenue_rows('numerator', "1 = 1") }}
union all
{{ economics.margin_cost_rows('numerator', 'org_id', "1 = 1") }}
union all
{{ economics.revenue_rows('denominator', "1 = 1") }}
