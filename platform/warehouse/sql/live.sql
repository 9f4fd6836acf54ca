{#
  What counts now, between two runs: a run's facts, and the tail of rows that came in after it, resolved by the very macros that runs use.
  Rendered for readers only, over the orgs asked about.

  `live` says where things are: `facts` and `raw` relations that hold those orgs' rows alone (`raw` all of them, with the columns
  named in staging.sql), `corrections` a run's int_corrections of the stream and those orgs, `decisions` an empty relation (a decision
  on a conflict counts from the next run on), `org_column` the facts' name of the org, `watermark` the run's positions and `until` the highest that count
  now, `as_of` the run's and `ever` an instant after everything.

  An event counts once it is there, also one that is dated some minutes ahead. Of an identity that comes again, the first stands, as in
  runs, as long as it stands for one of these orgs in the facts given; that one came for another org or long before is for the next run to find.
#}

{# The rows that the facts know nothing of: those above the watermark, and those that were not yet in time. #}
{% macro tail_rows(live) %}
select * from {{ live.raw }} as arrivals where {{ beyond_watermark(live.watermark) }} and {{ within_watermark(live.until, {'any': 1}) }}
union all
select * from {{ live.raw }} as waiting where {{ within_watermark(live.watermark, {'any': 1}) }} and waiting.time >= {{ live.as_of }}
{% endmacro %}

{% macro no_decisions() %}(select '' as stream, '' as identity, 0 as log_partition, 0 as log_offset where 1 = 0){% endmacro %}

{# DuckDB would plan a CTE anew at each of its uses. ClickHouse knows no other way. #}
{% macro as_once() %}as{% if target.type == 'duckdb' %} materialized{% endif %}{% endmacro %}

{#
  The same CTEs in two forms. Where there is no `live.aims`, corrections have nothing to say (orgs_to_correct): most of the time. Else it
  is a relation with what `aims` found. These are two questions because ClickHouse works out a CTE anew at each of its uses, and what
  a correction amounts to has many.
#}
{% macro live_ctes(stream, live) %}
tail {{ as_once() }} (
    {{ tail_rows(live) }}
),

known_again {{ as_once() }} (
    select distinct facts.source as source, facts.event_id as event_id
    from {{ live.facts }} as facts
    inner join tail on facts.source = tail.source and facts.event_id = tail.id
),

{% if live.aims %}{{ corrected_ctes(stream, live) }}{% else %}{{ plain_ctes(stream, live) }}{% endif %}
{% endmacro %}

{% macro arrived_rows() %}
    select tail.log_partition as log_partition, tail.log_offset as log_offset, tail.recorded_at as recorded_at, tail.source as source,
        tail.id as id, tail.identity as identity, tail.type as type, tail.subject as subject, tail.time as time,
        {{ nullable('tail.data', type_text()) }} as data, tail.raw_hash as raw_hash
    from tail
    left join known_again on tail.source = known_again.source and tail.id = known_again.event_id
    where known_again.event_id is null
{% endmacro %}

{% macro no_corrections() %}
(select '' as target_identity, '' as subject, true as is_void, {{ null_of(type_text()) }} as amended_data where 1 = 0)
{%- endmacro %}

{% macro plain_ctes(stream, live) %}
work {{ as_once() }} (
    {{ arrived_rows() }}
),

repeats as (
    {{ repeated_rows(stream, 'work', no_decisions()) }}
),

live_events as (
    {{ corrected_events('work', 'repeats', no_corrections(), live.ever) }}
)
{% endmacro %}

{#
  work: the rows to be resolved, which are the tail, facts that are amended otherwise now, and raw rows of what a correction no longer
  holds away. live_events: those of them that count.
#}
{% macro corrected_ctes(stream, live) %}
aims {{ as_once() }} (select * from {{ live.aims }} as found),

in_force as (select target_identity, subject, is_void, amended_data from aims where is_void or amended_data is not null),

changed as (select * from aims where is_changed),

work {{ as_once() }} (
    {{ arrived_rows() }}
    union all
    select facts.log_partition, facts.log_offset, facts.recorded_at, facts.source, facts.event_id, changed.target_identity, facts.type,
        facts.{{ live.org_column }}, facts.at, {{ null_of(type_text()) }}, ''
    from {{ live.facts }} as facts
    inner join changed
        on facts.source = changed.target_source
        and facts.event_id = changed.target_id
        and facts.{{ live.org_column }} = changed.subject
    where changed.amended_data is not null
    union all
    select restored.log_partition, restored.log_offset, restored.recorded_at, restored.source, restored.id, restored.identity, restored.type,
        restored.subject, restored.time, {{ nullable('restored.data', type_text()) }}, restored.raw_hash
    from {{ live.raw }} as restored
    where {{ within_watermark(live.watermark, {'any': 1}) }}
        and restored.time < {{ live.as_of }}
        and restored.identity in (
            select target_identity from changed where not is_void and (was_void or amended_data is null)
        )
),

repeats as (
    {{ repeated_rows(stream, 'work', no_decisions()) }}
),

live_events as (
    {{ corrected_events('work', 'repeats', 'in_force', live.ever) }}
)
{% endmacro %}

{# What a run would keep as execution facts if it were made now. `live.facts` is aliased as `kept`. #}
{% macro live_executions(live) %}
with
{{ live_ctes('executions', live) }}
select {{ execution_columns() }} from (
    {{ kept_facts(live) }}
) as kept_rows
union all
select {{ execution_columns() }} from (
    {{ live_tail_executions() }}
) as tail_rows
{% endmacro %}

{% macro live_tail_executions() %}{{ typed_executions('select * from live_events') }}{% endmacro %}

{# Facts that no correction touched since. #}
{% macro kept_facts(live) %}
select kept.* from {{ live.facts }} as kept
{%- if live.aims %}
left join changed
    on kept.source = changed.target_source
    and kept.event_id = changed.target_id
    and kept.{{ live.org_column }} = changed.subject
where changed.target_id is null
{%- endif %}
{% endmacro %}

{% macro live_events_of(stream, live) %}
with
{{ live_ctes(stream, live) }}
select day, subject, source, event_id, type, "at", recorded_at, log_partition, log_offset, data from (
    {{ kept_facts(live) }}
) as kept_rows
union all
select day, subject, source, event_id, type, "at", recorded_at, log_partition, log_offset, data from live_events
{% endmacro %}

{# The tail alone, for who has what the facts come to already: where corrections have nothing to say. #}
{% macro tail_events_of(stream, live) %}
with
{{ live_ctes(stream, live) }}
select day, subject, source, event_id, type, "at", recorded_at, log_partition, log_offset, data from live_events
{% endmacro %}

{% macro tail_executions(live) %}
with
{{ live_ctes('executions', live) }}
{{ live_tail_executions() }}
{% endmacro %}

{#
  What corrections amount to for targets where it is not what the facts applied (is_changed), and for those that came in since.
#}
{% macro aims(live) %}
with
tail {{ as_once() }} (
    {{ tail_rows(live) }}
),

known_corrections as (select * from {{ live.corrections }} as run_corrections),

new_corrections as (
    {{ correction_rows('tail') }}
),

-- each identity once: what the run knows stands before what came after it
corrections {{ as_once() }} (
    select placed.identity, placed.type, placed.subject, placed.at, placed.source, placed.event_id, placed.target_identity,
        placed.target_source, placed.target_id, placed.amended_data
    from (
        select arrived.*, row_number() over (partition by arrived.identity order by arrived.position) as place
        from (
            select identity, type, subject, "at", source, event_id, target_identity, target_source, target_id, amended_data,
                cast(-1 as {{ type_bigint() }}) as position
            from known_corrections
            union all
            select identity, type, subject, "at", source, event_id, target_identity, target_source, target_id, amended_data, position
            from new_corrections
        ) as arrived
    ) as placed
    where placed.place = 1
),

was_in_force {{ as_once() }} (
    {{ corrections_in_force('known_corrections', live.as_of) }}
),

in_force {{ as_once() }} (
    {{ corrections_in_force('corrections', live.ever) }}
),

targets as (
    select target_identity, subject, max(target_source) as target_source, max(target_id) as target_id
    from corrections
    group by target_identity, subject
)

select
    targets.target_identity as target_identity,
    targets.subject as subject,
    targets.target_source as target_source,
    targets.target_id as target_id,
    {{ boolean('coalesce(was_in_force.is_void, false)') }} as was_void,
    {{ boolean('coalesce(in_force.is_void, false)') }} as is_void,
    in_force.amended_data as amended_data,
    {{ boolean("coalesce(was_in_force.is_void, false) <> coalesce(in_force.is_void, false)
        or coalesce(was_in_force.amended_data, '') <> coalesce(in_force.amended_data, '')") }} as is_changed
from targets
left join was_in_force on targets.target_identity = was_in_force.target_identity and targets.subject = was_in_force.subject
left join in_force on targets.target_identity = in_force.target_identity and targets.subject = in_force.subject
where coalesce(was_in_force.is_void, false) <> coalesce(in_force.is_void, false)
    or coalesce(was_in_force.amended_data, '') <> coalesce(in_force.amended_data, '')
    or targets.target_identity in (select identity from tail)
{% endmacro %}

{# Orgs of which a correction changes something that the run does not know of: one that came in since, or that meets what did. #}
{% macro orgs_to_correct(live) %}
with
tail {{ as_once() }} (
    {{ tail_rows(live) }}
)
select subject as org_id from tail where type in ('event.voided', 'event.amended')
union distinct
select late.subject as org_id from {{ live.corrections }} as late where late.at >= {{ live.as_of }}
union distinct
select aimed.subject as org_id from {{ live.corrections }} as aimed inner join tail on aimed.target_identity = tail.identity
{% endmacro %}
