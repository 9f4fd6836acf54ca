{#
  One SQL for two engines. dbt renders these for runs; drill, usage and rating render the same text with nunjucks,
  so nothing here may call dbt (no ref, var, adapter): only `target.type` decides.
#}

{# ---- types ---- #}
{% macro type_bigint() %}{% if target.type == 'clickhouse' %}Int64{% else %}bigint{% endif %}{% endmacro %}
{% macro type_int128() %}{% if target.type == 'clickhouse' %}Int128{% else %}hugeint{% endif %}{% endmacro %}
{% macro type_integer() %}{% if target.type == 'clickhouse' %}Int32{% else %}integer{% endif %}{% endmacro %}
{% macro type_decimal() %}{% if target.type == 'clickhouse' %}Decimal(38, 12){% else %}decimal(38, 12){% endif %}{% endmacro %}
{% macro type_text() %}{% if target.type == 'clickhouse' %}String{% else %}varchar{% endif %}{% endmacro %}
{% macro type_boolean() %}{% if target.type == 'clickhouse' %}Bool{% else %}boolean{% endif %}{% endmacro %}
{% macro type_timestamp() %}{% if target.type == 'clickhouse' %}DateTime64(6, 'UTC'){% else %}timestamp{% endif %}{% endmacro %}

{# A NULL of a type, and a cast that lets NULL through: ClickHouse's types are not nullable by themselves. #}
{% macro null_of(type) %}{% if target.type == 'clickhouse' %}cast(null as Nullable({{ type }})){% else %}cast(null as {{ type }}){% endif %}{% endmacro %}
{% macro nullable(expression, type) %}{% if target.type == 'clickhouse' %}cast({{ expression }} as Nullable({{ type }})){% else %}cast({{ expression }} as {{ type }}){% endif %}{% endmacro %}

{# ---- JSON text: a field that is absent or null is NULL ---- #}
{% macro json_text(column, field) %}
  {%- if target.type == 'clickhouse' -%} JSONExtract({{ column }}, '{{ field }}', 'Nullable(String)')
  {%- else -%} json_extract_string({{ column }}, '$."{{ field }}"') {%- endif -%}
{% endmacro %}
{% macro json_int(column, field) %}cast({{ json_text(column, field) }} as {{ type_bigint() }}){% endmacro %}
{% macro json_decimal(column, field) %}cast({{ json_text(column, field) }} as {{ type_decimal() }}){% endmacro %}
{% macro json_bool(column, field) %}({{ json_text(column, field) }} = 'true'){% endmacro %}
{% macro json_instant(column, field) %}{{ instant(json_text(column, field)) }}{% endmacro %}
{% macro json_object(column, field) %}
  {%- if target.type == 'clickhouse' -%} nullIf(nullIf(JSONExtractRaw({{ column }}, '{{ field }}'), ''), 'null')
  {%- else -%} nullif(cast(json_extract({{ column }}, '$."{{ field }}"') as varchar), 'null') {%- endif -%}
{% endmacro %}
{#
  Many fields of one JSON text: parsed once into a record on DuckDB (five times faster than field by field), read field by
  field on ClickHouse. record_text and record_object take the record's fields out again.
#}
{% macro json_record(column, texts, objects) %}
  {%- if target.type == 'clickhouse' -%} {{ column }}
  {%- else -%} json_transform({{ column }}, '{ {%- for field in texts %}"{{ field }}":"VARCHAR",{% endfor %}{% for field in objects %}"{{ field }}":"JSON"{% if not loop.last %},{% endif %}{% endfor -%} }') {%- endif -%}
{% endmacro %}
{% macro record_text(record, field) %}{% if target.type == 'clickhouse' %}{{ json_text(record, field) }}{% else %}{{ record }}."{{ field }}"{% endif %}{% endmacro %}
{% macro record_object(record, field) %}{% if target.type == 'clickhouse' %}{{ json_object(record, field) }}{% else %}nullif(cast({{ record }}."{{ field }}" as varchar), 'null'){% endif %}{% endmacro %}
{# One row per element; an absent array yields no row. #}
{% macro json_elements(column, field) %}
  {%- if target.type == 'clickhouse' -%} arrayJoin(JSONExtractArrayRaw(ifNull({{ column }}, ''), '{{ field }}'))
  {%- else -%} cast(unnest(cast(json_extract({{ column }}, '$."{{ field }}"') as json[])) as varchar) {%- endif -%}
{% endmacro %}
{% macro json_strings(column, field) %}
  {%- if target.type == 'clickhouse' -%} arrayJoin(JSONExtract(ifNull({{ column }}, ''), '{{ field }}', 'Array(String)'))
  {%- else -%} unnest(json_extract_string({{ column }}, '$."{{ field }}"[*]')) {%- endif -%}
{% endmacro %}
{# One row per element as {"index": 1, "value": …}: for rules that break ties by the order in which things were sent. #}
{% macro json_indexed_elements(column, field) %}
  {%- if target.type == 'clickhouse' -%} arrayJoin(arrayMap((element, place) -> concat('{"index":', toString(place), ',"value":', element, '}'),
    JSONExtractArrayRaw(ifNull({{ column }}, ''), '{{ field }}'), arrayEnumerate(JSONExtractArrayRaw(ifNull({{ column }}, ''), '{{ field }}'))))
  {%- else -%} unnest(list_transform(cast(json_extract({{ column }}, '$."{{ field }}"') as json[]),
    lambda element, place: '{"index":' || place || ',"value":' || cast(element as varchar) || '}')) {%- endif -%}
{% endmacro %}
{# One row per key of the object in `column`, and the value under a key that is itself an expression. #}
{% macro json_keys_of(column) %}
  {%- if target.type == 'clickhouse' -%} arrayJoin(JSONExtractKeys(ifNull({{ column }}, '')))
  {%- else -%} unnest(json_keys({{ column }})) {%- endif -%}
{% endmacro %}
{% macro json_value_at(column, key) %}
  {%- if target.type == 'clickhouse' -%} JSONExtract({{ column }}, {{ key }}, 'Nullable(String)')
  {%- else -%} json_extract_string({{ column }}, '$."' || {{ key }} || '"') {%- endif -%}
{% endmacro %}

{# ---- whole numbers ---- #}
{# num / den to an integer, half away from zero; NULL when den is 0 or NULL. Never cast to round: engines differ. #}
{% macro div_round(num, den) %}
  {%- set n = 'cast(' ~ num ~ ' as ' ~ type_int128() ~ ')' -%}
  {%- set d = 'cast(' ~ den ~ ' as ' ~ type_int128() ~ ')' -%}
  {%- set signs = '(case when (' ~ n ~ ' < 0) = (' ~ d ~ ' < 0) then 1 else -1 end)' -%}
  {%- if target.type == 'clickhouse' -%}
    cast({{ signs }} * intDiv(abs({{ n }}) * 2 + abs({{ d }}), nullIf(abs({{ d }}) * 2, 0)) as {{ type_bigint() }})
  {%- else -%}
    cast({{ signs }} * ((abs({{ n }}) * 2 + abs({{ d }})) // nullif(abs({{ d }}) * 2, 0)) as {{ type_bigint() }})
  {%- endif -%}
{% endmacro %}
{% macro ppm(num, den) %}{{ div_round('cast(' ~ num ~ ' as ' ~ type_int128() ~ ') * 1000000', den) }}{% endmacro %}
{# Quotient towards zero, for numbers that are not negative: towards minus infinity. #}
{% macro int_div(num, den) %}
  {%- if target.type == 'clickhouse' -%} intDiv({{ num }}, nullIf({{ den }}, 0))
  {%- else -%} (({{ num }}) // nullif({{ den }}, 0)) {%- endif -%}
{% endmacro %}
{# The sum of nothing is 0; summed in 128 bits, because ClickHouse's 64-bit sum wraps in silence. #}
{% macro int_sum(expression) %}cast(coalesce(sum(cast({{ expression }} as {{ type_int128() }})), 0) as {{ type_bigint() }}){% endmacro %}
{# A comparison as a column: without the cast it is a number on ClickHouse. #}
{% macro boolean(expression) %}cast({{ expression }} as {{ type_boolean() }}){% endmacro %}
{% macro bool_to_int(expression) %}(case when {{ expression }} then 1 else 0 end){% endmacro %}
{# A decimal to the nearest integer, half away from zero (both engines do so for decimals, not for floats). #}
{% macro round_decimal(expression) %}cast(round(cast({{ expression }} as {{ type_decimal() }})) as {{ type_bigint() }}){% endmacro %}

{# ---- time: UTC without a zone everywhere ---- #}
{# RFC 3339 text or YYYY-MM-DD to an instant. #}
{% macro instant(text) %}
  {%- if target.type == 'clickhouse' -%} parseDateTime64BestEffortOrNull(upper({{ text }}), 6, 'UTC')
  {%- else -%} cast(cast(upper({{ text }}) as timestamptz) as timestamp) {%- endif -%}
{% endmacro %}
{% macro ts_literal(text) %}
  {%- if target.type == 'clickhouse' -%} toDateTime64('{{ text }}', 6, 'UTC')
  {%- else -%} cast('{{ text }}' as timestamp) {%- endif -%}
{% endmacro %}
{% macro date_literal(text) %}{% if target.type == 'clickhouse' %}toDate('{{ text }}'){% else %}cast('{{ text }}' as date){% endif %}{% endmacro %}
{% macro day_of(ts) %}{% if target.type == 'clickhouse' %}toDate({{ ts }}, 'UTC'){% else %}cast({{ ts }} as date){% endif %}{% endmacro %}
{% macro month_start(ts) %}{% if target.type == 'clickhouse' %}toStartOfMonth({{ ts }}){% else %}cast(date_trunc('month', {{ ts }}) as date){% endif %}{% endmacro %}
{% macro week_start(ts) %}{% if target.type == 'clickhouse' %}toMonday({{ ts }}){% else %}cast(date_trunc('week', {{ ts }}) as date){% endif %}{% endmacro %}
{% macro add_months(date, months) %}
  {%- if target.type == 'clickhouse' -%} addMonths({{ date }}, {{ months }})
  {%- else -%} cast({{ date }} + to_months(cast({{ months }} as integer)) as date) {%- endif -%}
{% endmacro %}
{% macro add_days(date, days) %}
  {%- if target.type == 'clickhouse' -%} addDays({{ date }}, {{ days }})
  {%- else -%} cast({{ date }} + to_days(cast({{ days }} as integer)) as date) {%- endif -%}
{% endmacro %}
{% macro add_seconds(ts, seconds) %}
  {%- if target.type == 'clickhouse' -%} addSeconds({{ ts }}, {{ seconds }})
  {%- else -%} ({{ ts }} + to_seconds({{ seconds }})) {%- endif -%}
{% endmacro %}
{# Midnight at which a date begins. #}
{% macro start_of(date) %}{% if target.type == 'clickhouse' %}toDateTime64({{ date }}, 6, 'UTC'){% else %}cast({{ date }} as timestamp){% endif %}{% endmacro %}
{% macro micros_of(ts) %}{% if target.type == 'clickhouse' %}toUnixTimestamp64Micro({{ ts }}){% else %}epoch_us({{ ts }}){% endif %}{% endmacro %}
{# Whole seconds from a to b, the rest cut off. #}
{% macro seconds_between(a, b) %}{{ int_div('(' ~ micros_of(b) ~ ' - ' ~ micros_of(a) ~ ')', 1000000) }}{% endmacro %}
{# Days from date a to date b, and a month as a number (year × 12 + month) whose differences count months. #}
{% macro days_between(a, b) %}{% if target.type == 'clickhouse' %}dateDiff('day', {{ a }}, {{ b }}){% else %}({{ b }} - {{ a }}){% endif %}{% endmacro %}
{% macro month_number(date) %}
  {%- if target.type == 'clickhouse' -%} (toYear({{ date }}) * 12 + toMonth({{ date }}))
  {%- else -%} (year({{ date }}) * 12 + month({{ date }})) {%- endif -%}
{% endmacro %}
{# 2026-10: how a month is written where it is a member among other texts. #}
{% macro month_text(date) %}{% if target.type == 'clickhouse' %}formatDateTime({{ date }}, '%Y-%m'){% else %}strftime({{ date }}, '%Y-%m'){% endif %}{% endmacro %}

{# ---- lists of events ---- #}
{# An id as a JSON string. Our own escapes, because the engines' differ (one escapes '/'); ids hold no control characters. #}
{% macro backslash() %}{% if target.type == 'clickhouse' %}char(92){% else %}chr(92){% endif %}{% endmacro %}
{% macro json_id(id) %}'"' || replace(replace({{ id }}, {{ backslash() }}, {{ backslash() }} || {{ backslash() }}), '"', {{ backslash() }} || '"') || '"'{% endmacro %}
{# The distinct events of a group as a JSON array, in one order on both engines. #}
{% macro event_list(source, event_id) %}
  {%- if target.type == 'clickhouse' -%}
    concat('[', arrayStringConcat(arraySort(groupUniqArray('{"source":' || {{ json_id('assumeNotNull(' ~ source ~ ')') }} || ',"id":' || {{ json_id('assumeNotNull(' ~ event_id ~ ')') }} || '}')), ','), ']')
  {%- else -%}
    {%- set event = '\'{"source":\' || ' ~ json_id(source) ~ ' || \',"id":\' || ' ~ json_id(event_id) ~ ' || \'}\'' -%}
    '[' || string_agg(distinct {{ event }}, ',' order by {{ event }}) || ']'
  {%- endif -%}
{% endmacro %}

{# ---- relations and ids ---- #}
{# A relation with one column n: 0, 1, … count − 1. #}
{% macro number_spine(count) %}
  {%- if target.type == 'clickhouse' -%} (select cast(number as Int64) as n from numbers({{ count }}))
  {%- else -%} (select range as n from range({{ count }})) {%- endif -%}
{% endmacro %}
{% macro line_feed() %}{% if target.type == 'clickhouse' %}char(10){% else %}chr(10){% endif %}{% endmacro %}
{% macro md5_text(expression) %}{% if target.type == 'clickhouse' %}lower(hex(MD5({{ expression }}))){% else %}md5({{ expression }}){% endif %}{% endmacro %}
{# The identity of an event: md5 of source, line feed, id; the same text as core/identity.ts hashes. #}
{% macro identity_of(source, id) %}{{ md5_text(source ~ ' || ' ~ line_feed() ~ ' || ' ~ id) }}{% endmacro %}
{# A hash in hex as 16 bytes, where millions of them are kept. #}
{% macro uuid_of(hex) %}{% if target.type == 'clickhouse' %}toUUID({{ hex }}){% else %}cast({{ hex }} as uuid){% endif %}{% endmacro %}
{# A deterministic id: the same parts give the same id, in every run and on both engines. #}
{% macro hash_id(prefix, parts) %}'{{ prefix }}_' || {% set text %}{% for part in parts %}coalesce(cast({{ part }} as {{ type_text() }}), ''){% if not loop.last %} || {{ line_feed() }} || {% endif %}{% endfor %}{% endset %}{{ md5_text(text) }}{% endmacro %}
