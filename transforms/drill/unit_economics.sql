{# An org's margin (its revenue less its cost) and its revenue. #}
{% import "portable.sql" as sql with context %}
{% from "portable.sql" import div_round with context %}
{% import "currency.sql" as money with context %}
{% import "drill_unit_economics.sql" as economics with context %}
{{ economics.revenue_rows('numerator', "earned.org_id = " ~ param('org_id', 'text')) }}
union all
{{ economics.margin_cost_rows('numerator', 'org_id', "spent.org_id = " ~ param('org_id', 'text')) }}
union all
{{ economics.revenue_rows('denominator', "earned.org_id = " ~ param('org_id', 'text')) }}
