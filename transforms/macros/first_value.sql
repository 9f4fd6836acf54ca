{#
  Roll-ups of first_value_*: all; each dimension alone; package with plan, with channel, with month. 1: the dimension keeps its members.
#}
{% macro first_value_rollups() %}
{%- for package, plan, channel, month in [
    [0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, 1]
  ] %}
    select {{ package }} as by_package, {{ plan }} as by_plan, {{ channel }} as by_channel, {{ month }} as by_month
    {%- if not loop.last %}
    union all
    {%- endif -%}
{%- endfor %}
{% endmacro %}

{# Clocks once per roll-up that they count in. '(org)' measures a product as a whole: it never counts among packages. #}
{% macro rolled_up_clocks(columns) %}
    select
        case when rollups.by_package = 1 then clocks.package_id else 'all' end as package_member,
        case when rollups.by_plan = 1 then clocks.plan_id else 'all' end as plan_member,
        case when rollups.by_channel = 1 then clocks.channel else 'all' end as channel_member,
        case when rollups.by_month = 1 then {{ month_text('clocks.install_month') }} else 'all' end as month_member
        {%- for column in columns %},
        clocks.{{ column }} as {{ column }}
        {%- endfor %}
    from {{ ref('int_value_clocks') }} as clocks
    cross join ({{ first_value_rollups() }}) as rollups
    where rollups.by_package = 1 or clocks.package_id <> '(org)'
{% endmacro %}

{#
  Floats enter here and leave at once: a float to an integer ×10⁻¹², half up by floor (round() breaks ties differently on the engines).
  The engines' ln and exp may differ in the last place, so two such integers may differ by 1; see near_ppm.
#}
{% macro trillionths(expression) %}cast(floor(({{ expression }}) * 1000000000000 + 0.5) as {{ type_bigint() }}){% endmacro %}

{#
  A share ×10⁻¹² to ppm, half up, with the border moved down by 10⁻⁹. Shares of counts fall exactly on a half ppm (127/128 does), where
  a unit of difference in a logarithm would decide; nothing made of counts falls 10⁻⁹ beside it, so both engines round alike.
#}
{% macro near_ppm(share) %}{{ int_div('(' ~ share ~ ' + 501000)', 1000000) }}{% endmacro %}

{# Whether an incidence ×10⁻¹² has reached a share ×10⁻¹², with the same 10⁻⁹ of grace. #}
{% macro has_reached(incidence, share) %}cast({{ incidence }} >= {{ share }} - 1000 as {{ type_boolean() }}){% endmacro %}
