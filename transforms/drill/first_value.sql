{# Everything that a median or quartile is estimated from: every clock with its outcome, and what stopped it. #}
{% import "portable.sql" as sql with context %}
{% import "drill_product.sql" as product with context %}
{{ product.clock_rows('input', '1 = 1') }}
union all
{{ product.clock_endings('input', "chosen.outcome <> 'censored'") }}
