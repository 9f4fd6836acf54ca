{# The share that up to six percentages leave, ×10⁻¹²; columns kept_1 … kept_6 in ppm. Each factor past the second is rounded. #}
{% macro percent_product(alias) %}
  {%- set product = wide(alias ~ '.kept_1') ~ ' * ' ~ alias ~ '.kept_2' -%}
  {{ _percent_rest(product, alias, 3) }}
{%- endmacro %}
{% macro _percent_rest(product, alias, nth) %}
  {%- if nth > 6 -%} {{ product }}
  {%- else -%} {{ _percent_rest(div_by_million('(' ~ product ~ ') * ' ~ alias ~ '.kept_' ~ nth), alias, nth + 1) }} {%- endif -%}
{%- endmacro %}
{# Shares are never negative, so half away from zero is half up. #}
{% macro div_by_million(expression) %}{{ int_div('(' ~ expression ~ ' + 500000)', 1000000) }}{% endmacro %}

{# The dimensions of revenue, and the column of int_org_members that holds each one's member. #}
{% macro member_dimensions() %}{{ return([
  ['segment', 'segment'], ['plan', 'revenue_plan_id'], ['channel', 'channel'], ['partner', 'partner_id'], ['country', 'country'], ['motion', 'motion']
]) }}{% endmacro %}

{# One name, 'mixed' where there are several, 'none' where there is none. #}
{% macro one_member(low, high) %}(case when {{ low }} is null then 'none' when {{ low }} = {{ high }} then {{ low }} else 'mixed' end){% endmacro %}
{# Items that say where a customer stands: what is open, and for one that has paid and does not now, what it paid for last. #}
{% macro counts_for_revenue() %}(case
            when payers.is_paying = 1 or payers.paid_until is null then standing.is_open
            else standing.valid_to = payers.paid_until and standing.mrr_minor > 0
        end){% endmacro %}

{# 1, 10, 100, … by the digits of a currency's minor unit. #}
{% macro currency_unit(currency) %}(case {{ currency_exponent(currency) }} when 0 then 1 when 3 then 1000 when 4 then 10000 else 100 end){% endmacro %}

{% macro movement_kinds() %}{{ return(['new', 'reactivation', 'expansion', 'contraction', 'churn', 'currency_change']) }}{% endmacro %}
{#
  One side of the fraction that turns an own-currency amount into the reporting currency: amount × num ÷ den.
  Where an amount needs a rate and there is none, the run stops and names the date that lacks it.
#}
{% macro rate_side(rate, side, is_needed, month, own='own') %}case
            when {{ own }}.currency = settings.reporting_currency then {{ wide('1') }}
            {%- if is_needed != 'false' %}
            when {{ rate }}.num is null and ({{ is_needed }}) then {{ refuse(
                "'no exchange rate from ' || " ~ own ~ ".currency || ' to ' || settings.reporting_currency || ' for the month that ends on ' || cast("
                ~ add_days(add_months(month, 1), -1) ~ " as " ~ type_text() ~ ") || ': record fx.rate_published for it'"
            ) }}
            {%- endif %}
            else {{ rate }}.{{ side }} * {{ currency_unit('settings.reporting_currency' if side == 'num' else own ~ '.currency') }}
        end{% endmacro %}
