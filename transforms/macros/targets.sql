{# One metric of a mart that has `dimension, member`, as rows of int_target_actuals. #}
{% macro member_actuals(metric, mart, value, currency='currency', condition='1 = 1') %}
    select
        '{{ metric }}' as metric, dimension, member, {{ currency }} as currency, month,
        cast({{ value }} as {{ type_bigint() }}) as actual
    from {{ ref(mart) }}
    where {{ condition }}
{% endmacro %}

{# Growth over a year in ppm, by member; NULL where there was nothing to grow from. #}
{% macro yearly_growth(metric, mart, value) %}
    select
        '{{ metric }}' as metric, present.dimension as dimension, present.member as member, present.currency as currency,
        present.month as month, {{ ppm('present.' ~ value ~ ' - past.' ~ value, 'past.' ~ value) }} as actual
    from {{ ref(mart) }} as present
    inner join {{ ref(mart) }} as past
        on present.currency = past.currency
        and present.dimension = past.dimension
        and present.member = past.member
        and {{ add_months('present.month', -12) }} = past.month
{% endmacro %}
