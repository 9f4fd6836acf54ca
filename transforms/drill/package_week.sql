{# Executions of a package that ended in a week. #}
{% import "portable.sql" as sql with context %}
{% import "drill_product.sql" as product with context %}
{{ product.execution_rows('value', "ended.type in ('execution.completed', 'execution.failed', 'execution.canceled')") }}
