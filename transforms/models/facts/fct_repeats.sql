-- Rows of the log that do not stand, because another row of the same identity does. Everything else is read without them.
{{ config(materialized='kept', stale='stale_positions', drops_state=true, order_by=['stream', 'position']) }}
{%- set kept = kept_state() %}

{%- for stream in streams() %}
{% if not loop.first %}union all{% endif %}
select '{{ stream }}' as stream, repeats.identity, repeats.position, repeats.first_position, repeats.is_conflict
from (
    {%- if kept is none %}
    {{ repeated_rows(stream, raw_source(stream), catalog_source('conflict_decisions')) }}
    {%- else %}
    {{ repeated_arrivals(kept, stream) }}
    {%- endif %}
) as repeats
{%- endfor %}
