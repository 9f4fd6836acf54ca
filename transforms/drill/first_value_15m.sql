{# Installs with a value within 15 minutes, and installs at least 15 minutes old. #}
{% import "portable.sql" as sql with context %}
{% import "drill_product.sql" as product with context %}
{{ product.clock_rows('numerator', "chosen.age_seconds >= 900 and chosen.outcome = 'reached' and chosen.seconds <= 900") }}
union all
{{ product.clock_endings('numerator', "chosen.age_seconds >= 900 and chosen.outcome = 'reached' and chosen.seconds <= 900") }}
union all
{{ product.clock_rows('denominator', 'chosen.age_seconds >= 900') }}
