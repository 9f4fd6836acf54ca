-- Every correction that stands in the log, whether it takes effect or not.
{{ config(materialized='kept', stale='stale_positions') }}
{%- set kept = kept_state() %}

{%- for stream in streams() %}
{% if not loop.first %}union all{% endif %}
select '{{ stream }}' as stream, corrections.*
from ({{ correction_rows(new_rows(kept, stream)) }}) as corrections
left join {{ ref('fct_repeats') }} as repeats
    on repeats.stream = '{{ stream }}'
    and corrections.position = repeats.position
where repeats.position is null
{%- endfor %}
