{# A package's margin (its revenue less its cost) and its revenue. #}
{% import "portable.sql" as sql with context %}
{% from "portable.sql" import div_round with context %}
{% import "currency.sql" as money with context %}
{% import "drill_unit_economics.sql" as economics with context %}
{{ economics.revenue_rows('numerator', "earned.package_id = " ~ param('package_id', 'text')) }}
union all
{{ economics.margin_cost_rows('numerator', 'package_id', "spent.package_id = " ~ param('package_id', 'text')) }}
union all
{{ economics.revenue_rows('denominator', "earned.package_id = " ~ param('package_id', 'text')) }}
