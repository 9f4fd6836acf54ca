{# Digits of a currency's minor unit, as core/currencies.ts tells them (a test compares the two); 2 where it knows none. #}
{% macro currency_exponent(currency) %}(case
    when {{ currency }} in ('BIF', 'BYR', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') then 0
    when {{ currency }} in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') then 3
    when {{ currency }} in ('CLF', 'UYW') then 4
    else 2
  end){% endmacro %}

{# Micros (millionths of the major unit) to minor units, half away from zero. #}
{% macro micros_to_minor(micros, currency) %}{{ div_round(micros, "(case " ~ currency_exponent(currency) ~ " when 0 then 1000000 when 3 then 1000 when 4 then 100 else 10000 end)") }}{% endmacro %}

{# A decimal rate as an integer ×10⁻¹². #}
{% macro scaled_rate(rate) %}cast(cast({{ rate }} as {% if target.type == 'clickhouse' %}Decimal(24, 12){% else %}decimal(24, 12){% endif %}) * 1000000000000 as {{ type_int128() }}){% endmacro %}

{# Stops the run with a text of our own where a row has no right answer: neither engine casts a sentence to a number. #}
{% macro refuse(text) %}cast({{ text }} as {{ type_bigint() }}){% endmacro %}
