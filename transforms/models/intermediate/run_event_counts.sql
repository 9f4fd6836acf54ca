-- Events that count in this run, by stream.
{%- for stream in streams() %}
{% if not loop.first %}union all{% endif %}
select '{{ stream }}' as stream, cast(count(*) as {{ type_bigint() }}) as events from {{ ref('fct_' ~ stream) }}
{%- endfor %}
