-- Where each identity stands: tells an arrival that was seen before, and the day of an event that a correction aims at.
{{ config(materialized='kept', stale='stale_positions', order_by=['stream', 'identity']) }}
{%- set kept = kept_state() %}

{%- for stream in streams() %}
{% if not loop.first %}union all{% endif %}
select
    '{{ stream }}' as stream,
    {{ uuid_of('arrivals.identity') }} as identity,
    {{ position_of('arrivals') }} as position,
    {{ day_of('arrivals.time') }} as day,
    arrivals.subject as subject,
    {{ uuid_of('arrivals.raw_hash') }} as raw_hash
from {{ new_rows(kept, stream) }} as arrivals
left join {{ ref('fct_repeats') }} as repeats
    on repeats.stream = '{{ stream }}'
    and {{ position_of('arrivals') }} = repeats.position
where repeats.position is null
{%- endfor %}
