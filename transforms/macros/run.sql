{# What only dbt knows of a run: its vars, where relations live, and which lake files to open. #}

{#
  A parameter of the run: from HEADGATE_RUN_VARS (a JSON object) when that is set, else a dbt var.
  dbt parses the whole project again when --vars differ, and they differ in every run; the environment it asks only here, at execution.
#}
{% macro run_var(name) %}
  {%- if execute and env_var('HEADGATE_RUN_VARS', '') -%}
    {%- set given = fromjson(env_var('HEADGATE_RUN_VARS')) -%}
    {%- if name in given -%}{{ return(given[name]) }}{%- endif -%}
  {%- endif -%}
  {{ return(var(name)) }}
{% endmacro %}

{# The instant before which things must have happened to exist for this run. #}
{% macro as_of() %}{{ ts_literal(run_var('as_of')) }}{% endmacro %}

{# Kept facts live in a database of their own: DuckDB attaches it as `facts`, ClickHouse names it by var. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
  {%- if custom_schema_name == 'facts' and target.type == 'clickhouse' -%} {{ var('facts_database') }}
  {%- else -%} {{ target.schema }} {%- endif -%}
{%- endmacro %}
{% macro generate_database_name(custom_database_name=none, node=none) -%}
  {%- if target.type == 'duckdb' and node is not none and node.config.schema == 'facts' -%} facts
  {%- else -%} {{ target.database }} {%- endif -%}
{%- endmacro %}

{# A table of the kept facts by name, for the few places where ref() would close a circle. #}
{% macro facts_table(name) %}{% if target.type == 'clickhouse' %}{{ var('facts_database') }}.{{ name }}{% else %}facts.main.{{ name }}{% endif %}{% endmacro %}

{% macro catalog_source(table) -%}
  {%- if target.type == 'clickhouse' -%} {{ run_var('catalog_database') }}.{{ table }}
  {%- else -%} read_parquet('{{ run_var('catalog_dir') }}/{{ table }}.parquet') {%- endif -%}
{%- endmacro %}

{#
  Raw rows of a stream up to the run's watermark, as a relation to stand after FROM.
  `where` (a predicate on its columns) holds for what comes out. `months` (texts 'YYYY-MM') and `after` (a position) only prune:
  which files are opened at all. On ClickHouse all three stand beneath LIMIT BY, where the sorting key and the index by position
  see them.

  A consumer that died between insert and commit, or that did not notice that another took over, inserts the same messages again:
  of the rows at one position, one counts. This is the only place of a run where that is said.
#}
{% macro raw_source(stream, months=none, after=none, where='(1 = 1)') -%}
  {%- if target.type == 'clickhouse' -%}
    (select * from {{ run_var('raw_database') }}.raw_{{ stream }} where {{ counts_by_watermark(stream) }} and {{ where }}
    {%- if months is not none %} and toYYYYMM(time) in ({{ months | map('replace', '-', '') | join(', ') or '0' }}){% endif %}
    limit 1 by log_partition, log_offset)
  {%- else -%}
    {%- set files = lake_files(stream, months, after) if execute else [] -%}
    {%- if files -%}
      (select * from read_parquet([{{ quoted_list(files) }}], hive_partitioning = false)
      where {{ counts_by_watermark(stream) }} and {{ where }})
    {%- else -%} {{ empty_raw() }} {%- endif -%}
  {%- endif -%}
{%- endmacro %}

{% macro counts_by_watermark(stream) %}
  {%- set watermark = run_var('watermark') -%}
  {{ within_watermark(watermark.get(stream), watermark) }}
{%- endmacro %}

{% macro quoted_list(texts) %}{% if texts %}{% for text in texts %}'{{ text }}'{% if not loop.last %}, {% endif %}{% endfor %}{% else %}''{% endif %}{% endmacro %}

{# Files are named month=YYYY-MM/<first offset>-<last offset>.parquet, so both prunings need no file opened. #}
{% macro lake_files(stream, months, after) %}
  {%- set listing = run_query("select file from glob('" ~ run_var('lake') ~ "/" ~ stream ~ "/*/*.parquet') order by file") -%}
  {%- set files = [] -%}
  {%- for file in listing.columns[0].values() -%}
    {%- set name = file.split('/')[-1].split('.')[0] -%}
    {%- set month = file.split('/')[-2].split('=')[-1] -%}
    {%- set last = name.split('-')[-1] -%}
    {%- if (months is none or month in months) and (after is none or not last.isdigit() or last | int > after) -%}
      {%- do files.append(file) -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return(files) }}
{% endmacro %}

{# A stream that has no row yet still has columns. #}
{% macro empty_raw() -%}
  (select {{ null_of(type_integer()) }} as log_partition, {{ null_of(type_bigint()) }} as log_offset,
    {{ null_of(type_timestamp()) }} as recorded_at, {{ null_of(type_text()) }} as source, {{ null_of(type_text()) }} as id,
    {{ null_of(type_text()) }} as identity, {{ null_of(type_text()) }} as type, {{ null_of(type_text()) }} as subject,
    {{ null_of(type_timestamp()) }} as time, {{ null_of(type_text()) }} as data, {{ null_of(type_text()) }} as extra,
    {{ null_of(type_text()) }} as raw_hash
  where 1 = 0)
{%- endmacro %}

{# The wall clock; only run_info tells it, and exports leave it out. #}
{% macro now_utc() %}{% if target.type == 'clickhouse' %}now64(6, 'UTC'){% else %}cast(now() as timestamp){% endif %}{% endmacro %}
