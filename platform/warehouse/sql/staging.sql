{#
  Identity and corrections, in one place (events.md). Runs read raw rows through these macros, rendered by dbt; drill, usage and
  rating read the facts that a run kept, and what is asked between runs adds the tail above them, rendered from the same text
  (live.sql). Nothing here may call dbt, only `target.type` decides.

  A raw relation has the columns log_partition, log_offset, recorded_at, source, id, identity, type, subject, time, data, raw_hash.
#}

{# One number that orders rows as the log does: partition, then offset (offsets stay below 2^48). #}
{% macro position_of(alias) %}(cast({{ alias }}.log_partition as {{ type_bigint() }}) * 281474976710656 + {{ alias }}.log_offset){% endmacro %}

{# `positions`: [[partition, highest offset that counts], …]. A partition that is not named does not count; no watermark at all counts everything. #}
{% macro within_watermark(positions, watermark) %}
  {%- if positions and positions | length > 0 -%}
    ({% for position in positions %}(log_partition = {{ position[0] }} and log_offset <= {{ position[1] }}){% if not loop.last %} or {% endif %}{% endfor %})
  {%- elif watermark -%} (1 = 0)
  {%- else -%} (1 = 1) {%- endif -%}
{% endmacro %}

{# Rows above a watermark. Spelled so that an engine finds them by their offsets, which it would not by the negation of the above;
   DuckDB's log has one partition. #}
{% macro beyond_watermark(positions) %}
  {%- if not positions or positions | length == 0 -%} (1 = 1)
  {%- elif positions | length == 1 and target.type == 'duckdb' -%} (log_offset > {{ positions[0][1] }})
  {%- else -%}
    ({% for position in positions %}(log_partition = {{ position[0] }} and log_offset > {{ position[1] }}) or {% endfor %}log_partition not in ({% for position in positions %}{{ position[0] }}{% if not loop.last %}, {% endif %}{% endfor %}))
  {%- endif -%}
{% endmacro %}

{#
  Rows that do not stand: all but one of those that share an identity. The one that stands is the first in the log, and of conflicting
  ones the one that `decisions` names, a relation of (stream, identity, log_partition, log_offset).
#}
{% macro repeated_rows(stream, raw, decisions) %}
select
    placed.identity,
    placed.position,
    placed.first_position,
    placed.is_conflict
from (
    select
        candidates.identity as identity,
        {{ position_of('candidates') }} as position,
        first_value({{ position_of('candidates') }}) over standing as first_position,
        first_value(candidates.raw_hash) over standing <> candidates.raw_hash as is_conflict,
        row_number() over standing as place
    from {{ raw }} as candidates
    left join {{ decisions }} as decisions
        on decisions.stream = '{{ stream }}'
        and candidates.identity = decisions.identity
        and candidates.log_partition = decisions.log_partition
        and candidates.log_offset = decisions.log_offset
    where candidates.identity in (select copies.identity from {{ raw }} as copies group by copies.identity having count(*) > 1)
    window standing as (
        partition by candidates.identity
        order by case when decisions.identity is null then 1 else 0 end, {{ position_of('candidates') }}
    )
) as placed
where placed.place > 1
{% endmacro %}

{# Corrections as rows: what they aim at and what they put in its place. Repeats are already out. #}
{% macro correction_rows(raw) %}
select
    {{ position_of('corrections') }} as position,
    corrections.identity as identity,
    corrections.type as type,
    corrections.subject as subject,
    corrections.time as at,
    corrections.source as source,
    corrections.id as event_id,
    {{ identity_of(json_text('corrections.data', 'targetSource'), json_text('corrections.data', 'targetId')) }} as target_identity,
    {{ json_text('corrections.data', 'targetSource') }} as target_source,
    {{ json_text('corrections.data', 'targetId') }} as target_id,
    {{ json_object('corrections.data', 'data') }} as amended_data
from {{ raw }} as corrections
where corrections.type in ('event.voided', 'event.amended')
{% endmacro %}

{#
  What stands of the corrections before `as_of`: one row per target identity and subject, either a void or the data that replaces the target's.
  A void of a void is unrolled six levels deep: at each level the voids stand that no void of the level before aims at.
  `corrections` has the columns of correction_rows.
#}
{% macro corrections_in_force(corrections, as_of) %}
select
    aims.target_identity,
    aims.subject,
    max(aims.is_void) = 1 as is_void,
    max(aims.amended_data) as amended_data
from (
    {{ standing_voids(corrections, as_of, 6) }}
    union all
    select ranked.target_identity, ranked.subject, 0 as is_void, ranked.amended_data
    from (
        select
            amendments.target_identity as target_identity,
            amendments.subject as subject,
            amendments.amended_data as amended_data,
            row_number() over (
                partition by amendments.target_identity, amendments.subject
                order by amendments.at desc, amendments.source desc, amendments.event_id desc
            ) as place
        from {{ corrections }} as amendments
        left join ({{ standing_voids(corrections, as_of, 6) }}) as voids
            on amendments.identity = voids.target_identity
            and amendments.subject = voids.subject
        where amendments.type = 'event.amended' and amendments.at < {{ as_of }} and voids.target_identity is null
    ) as ranked
    where ranked.place = 1
) as aims
group by aims.target_identity, aims.subject
{% endmacro %}

{# The targets of voids that no standing void one level up aims at. A void that aims at itself does nothing to itself. #}
{% macro standing_voids(corrections, as_of, level) %}
    select distinct voids_{{ level }}.target_identity as target_identity, voids_{{ level }}.subject as subject, 1 as is_void, {{ null_of(type_text()) }} as amended_data
    from {{ corrections }} as voids_{{ level }}
    {%- if level > 0 %}
    left join (
        {{ standing_voids(corrections, as_of, level - 1) }}
    ) as above_{{ level }}
        on voids_{{ level }}.identity = above_{{ level }}.target_identity
        and voids_{{ level }}.subject = above_{{ level }}.subject
        and voids_{{ level }}.identity <> voids_{{ level }}.target_identity
    {%- endif %}
    where voids_{{ level }}.type = 'event.voided' and voids_{{ level }}.at < {{ as_of }}
    {%- if level > 0 %} and above_{{ level }}.target_identity is null{% endif %}
{% endmacro %}

{#
  The events that count: repeats out, voided ones out, amended ones with their new data, none at or after `as_of`.
  `repeats` has a column position; `in_force` the columns of corrections_in_force.
#}
{% macro corrected_events(raw, repeats, in_force, as_of) %}
select
    {{ day_of('events.time') }} as day,
    events.subject as subject,
    events.source as source,
    events.id as event_id,
    events.type as type,
    events.time as at,
    events.recorded_at as recorded_at,
    events.log_partition as log_partition,
    events.log_offset as log_offset,
    coalesce(in_force.amended_data, events.data) as data
from {{ raw }} as events
left join {{ repeats }} as repeats on {{ position_of('events') }} = repeats.position
left join {{ in_force }} as in_force
    on events.identity = in_force.target_identity
    and events.subject = in_force.subject
where events.time < {{ as_of }}
    and repeats.position is null
    and not coalesce(in_force.is_void, false)
    and events.type not in ('event.voided', 'event.amended')
{% endmacro %}
