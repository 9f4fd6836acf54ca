{#
  Kept facts: tables in the facts database that outlive a run. A run that may build on them rewrites only what changed;
  any other run writes them whole. Which of the two it is, is decided here and nowhere else.
#}

{#
  The state that the last complete run left ({as_of, watermark}), or none when facts are to be built in full: asked for, never built,
  half built (the state is dropped before a full build and written last), built by another definition, or at odds with a decision.
#}
{% macro kept_state() %}
  {%- if not execute or not run_var('incremental') or flags.FULL_REFRESH -%}{{ return(none) }}{%- endif -%}
  {%- if state_relation() is none -%}{{ return(none) }}{%- endif -%}
  {%- set rows = run_query('select as_of_text, watermark, definition from ' ~ facts_table('facts_state')).rows -%}
  {%- if rows | length != 1 -%}{{ return(none) }}{%- endif -%}
  {%- set row = rows[0] -%}
  {%- if row[2] != run_var('facts_definition') -%}{{ return(none) }}{%- endif -%}
  {%- if row[0] > run_var('as_of') -%}
    {{ exceptions.raise_compiler_error('kept facts stand at ' ~ row[0] ~ ', this run asks for ' ~ run_var('as_of') ~
      ': give it a facts database of its own and incremental: false') }}
  {%- endif -%}
  {%- set overruled = run_query('select count(*) from ' ~ facts_table('fct_identities') ~ ' as standing inner join ' ~ catalog_source('conflict_decisions')
      ~ ' as decisions on decisions.stream = standing.stream and ' ~ uuid_of('decisions.identity') ~ ' = standing.identity where '
      ~ position_of('decisions') ~ ' <> standing.position').rows[0][0] -%}
  {%- if overruled | int > 0 -%}{{ return(none) }}{%- endif -%}
  {{ return({'as_of': row[0], 'watermark': fromjson(row[1])}) }}
{% endmacro %}

{% macro state_relation() %}
  {{ return(load_relation(api.Relation.create(
      database='facts' if target.type == 'duckdb' else none,
      schema='main' if target.type == 'duckdb' else var('facts_database'), identifier='facts_state'))) }}
{% endmacro %}

{# Rows above the kept watermark: the only ones that can have changed anything. #}
{% macro beyond(kept, stream) -%}
  {%- if kept is none -%} (1 = 1)
  {%- else -%} not {{ within_watermark(kept.watermark.get(stream), {'any': 1}) }} {%- endif -%}
{%- endmacro %}
{# Where new rows of the only partition begin; with several partitions a file's name says nothing about what is new. #}
{% macro lowest_new_offset(kept, stream) -%}
  {%- set positions = kept.watermark.get(stream, []) if kept is not none else [] -%}
  {{ return(positions[0][1] if positions | length == 1 else none) }}
{%- endmacro %}
{% macro new_rows(kept, stream) -%}
  {{ raw_source(stream, after=lowest_new_offset(kept, stream), where=beyond(kept, stream)) }}
{%- endmacro %}

{# The months that dirty keys of a stream lie in, so that other lake files stay closed; none: all months. #}
{% macro dirty_months(kept, stream) -%}
  {%- if kept is none -%}{{ return(none) }}{%- endif -%}
  {%- set found = run_query('select distinct ' ~ month_text('day') ~ ' from ' ~ facts_table('dirty_keys') ~ " where stream = '" ~ stream ~ "'") -%}
  {#- dbt-clickhouse gives an empty answer no columns, so this goes by rows. -#}
  {%- set months = [] -%}
  {%- for row in found.rows -%}{%- do months.append(row[0]) -%}{%- endfor -%}
  {{ return(months) }}
{%- endmacro %}

{# Raw rows of the keys that are to be rebuilt: all of them in a full build. #}
{% macro rows_to_rebuild(stream) -%}
  {%- set kept = kept_state() -%}
  {%- if kept is none -%} {{ raw_source(stream) }}
  {%- else -%}
    {{ raw_source(stream, months=dirty_months(kept, stream), where=is_dirty_row(stream)) }}
  {%- endif -%}
{%- endmacro %}

{# Spelled as the sorting key of ClickHouse's raw tables is, which then finds the rows. #}
{% macro is_dirty_row(stream) -%}
  {%- set dirty = facts_table('dirty_keys') ~ " where stream = '" ~ stream ~ "'" -%}
  {%- if target.type == 'clickhouse' -%} (toDate32(time), subject) in (select toDate32(day), subject from {{ dirty }})
  {%- else -%} ({{ day_of('time') }}, subject) in (select day, subject from {{ dirty }}) {%- endif -%}
{%- endmacro %}

{# Events of a stream that count, of the keys that are to be rebuilt. #}
{% macro facts_of(stream) -%}
  {#- The keys to rebuild are read by name, so dbt must be told that they come first. -#}
  {%- set keys = ref('dirty_keys') -%}
  {{ corrected_events(
    rows_to_rebuild(stream),
    "(select position from " ~ ref('fct_repeats') ~ " where stream = '" ~ stream ~ "')",
    "(select target_identity, subject, is_void, amended_data from " ~ ref('corrections_in_force') ~ " where stream = '" ~ stream ~ "')",
    as_of()
  ) }}
{%- endmacro %}

{#
  Materialization of a kept table. Config `stale` names a macro that gives, with the kept state, the predicate of rows to delete first:
  delete and append, because delete+insert by key leaves the rows of a key behind that has no rows any more.
  `partition_by` and `order_by` are ClickHouse's: by them it finds the rows of dirty keys without reading the others.
#}
{% materialization kept, default %}
  {%- set kept = kept_state() -%}
  {%- set existing = load_cached_relation(this) -%}
  {{ run_hooks(pre_hooks) }}
  {%- if kept is none or existing is none -%}
    {%- if config.get('drops_state') and state_relation() is not none -%}
      {# From here to the end of the run the facts are neither the old ones nor the new ones. #}
      {% call statement('forget') %}truncate table {{ facts_table('facts_state') }}{% endcall %}
    {%- endif -%}
    {%- if target.type == 'clickhouse' -%}
      {%- if existing is not none -%}{% do adapter.drop_relation(existing) %}{%- endif -%}
      {% call statement('main') %}{{ create_table_as(False, this, sql) }}{% endcall %}
    {%- else -%}
      {% call statement('main') %}create or replace table {{ this }} as ({{ sql }}){% endcall %}
    {%- endif -%}
  {%- else -%}
    {%- set stale = context[config.require('stale')](kept, config.get('stream')) -%}
    {% call statement('stale') %}delete from {{ this }} where {{ stale }}{% endcall %}
    {% call statement('main') %}insert into {{ this }} {{ sql }}
    {%- if target.type == 'clickhouse' %} {{ adapter.get_model_query_settings(model) }}{% endif %}{% endcall %}
  {%- endif -%}
  {% do adapter.commit() %}
  {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmaterialization %}

{# Rows that a run which did not finish left behind: those above the kept watermark. #}
{% macro stale_positions(kept, stream) -%}
  {%- for name in streams() -%}
    (stream = '{{ name }}' and {{ position_beyond(kept, name) }}){% if not loop.last %} or {% endif %}
  {%- endfor -%}
{%- endmacro %}
{# The same as `beyond`, for tables that hold the position as one number. #}
{% macro position_beyond(kept, stream) -%}
  {%- set positions = kept.watermark.get(stream, []) -%}
  {%- if not positions -%} (1 = 1)
  {%- else -%}
    not ({% for partition, offset in positions %}(position between {{ partition * 281474976710656 }} and {{ partition * 281474976710656 + offset }}){% if not loop.last %} or {% endif %}{% endfor %})
  {%- endif -%}
{%- endmacro %}
{% macro streams() %}{{ return(['executions', 'installs', 'billing', 'crm']) }}{% endmacro %}
{% macro stale_keys(kept, stream) -%}
  (day, subject) in (select day, subject from {{ facts_table('dirty_keys') }} where stream = '{{ stream }}')
{%- endmacro %}
{% macro stale_execution_keys(kept, stream) -%}
  (day, org_id) in (select day, subject from {{ facts_table('dirty_keys') }} where stream = 'executions')
{%- endmacro %}

{# Arrivals whose identity stands already, in the kept index or in an earlier (or decided) arrival. #}
{% macro repeated_arrivals(kept, stream) %}
select placed.identity, placed.position, placed.first_position, placed.is_conflict
from (
    select
        arrivals.identity as identity,
        {{ position_of('arrivals') }} as position,
        coalesce(standing.position, first_value({{ position_of('arrivals') }}) over arrival_order) as first_position,
        coalesce(standing.raw_hash, first_value({{ uuid_of('arrivals.raw_hash') }}) over arrival_order) <> {{ uuid_of('arrivals.raw_hash') }} as is_conflict,
        standing.position is not null as is_known,
        row_number() over arrival_order as place
    from {{ new_rows(kept, stream) }} as arrivals
    left join (
        select identity, position, raw_hash from {{ facts_table('fct_identities') }}
        where stream = '{{ stream }}' and not {{ position_beyond(kept, stream) }}
        {%- if target.type == 'clickhouse' %}
        -- it hashes the right side whole, so only what is asked about may be in it
        and identity in (select {{ uuid_of('asked.identity') }} from {{ new_rows(kept, stream) }} as asked)
        {%- endif %}
    ) as standing
        on {{ uuid_of('arrivals.identity') }} = standing.identity
    left join {{ catalog_source('conflict_decisions') }} as decisions
        on decisions.stream = '{{ stream }}'
        and arrivals.identity = decisions.identity
        and arrivals.log_partition = decisions.log_partition
        and arrivals.log_offset = decisions.log_offset
    window arrival_order as (
        partition by arrivals.identity
        order by case when decisions.identity is null then 1 else 0 end, {{ position_of('arrivals') }}
    )
) as placed
where placed.is_known or placed.place > 1
{% endmacro %}
