{# Those that reached a first value, and all. #}
{% import "portable.sql" as sql with context %}
{% import "drill_product.sql" as product with context %}
{{ product.clock_rows('numerator', "chosen.outcome = 'reached'") }}
union all
{{ product.clock_endings('numerator', "chosen.outcome = 'reached'") }}
union all
{{ product.clock_rows('denominator', '1 = 1') }}
