{# The active orgs, each by what makes it active. #}
{% import "portable.sql" as sql with context %}
{% import "drill_product.sql" as product with context %}
{% set month = param('month', 'date') %}
{{ product.org_rows('value', month, product.active_members(month)) }}
