{# What a package's executions cost. #}
{% import "portable.sql" as sql with context %}
{% from "portable.sql" import div_round with context %}
{% import "currency.sql" as money with context %}
{% import "drill_unit_economics.sql" as economics with context %}
{{ economics.cost_rows('value', "spent.package_id = " ~ param('package_id', 'text')) }}
