{# Executions in which a human had to step in, and those that ended well or in failure. #}
{% import "portable.sql" as sql with context %}
{% import "drill_product.sql" as product with context %}
{{ product.execution_rows('numerator', "ended.type in ('execution.completed', 'execution.failed') and ended.human_intervention") }}
union all
{{ product.execution_rows('denominator', "ended.type in ('execution.completed', 'execution.failed')") }}
