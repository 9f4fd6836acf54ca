-- What this run is: everything its numbers are a function of, and how many events it read.
select
    cast('{{ run_var("run_id") }}' as {{ type_text() }}) as run_id,
    {{ as_of() }} as as_of,
    cast('{{ tojson(run_var("watermark")) }}' as {{ type_text() }}) as watermark,
    cast({{ run_var('catalog_version') or 0 }} as {{ type_bigint() }}) as catalog_version,
    cast('{{ run_var("code_revision") }}' as {{ type_text() }}) as code_revision,
    {{ ts_literal(run_var('run_started')) }} as started_at,
    {{ now_utc() }} as finished_at,
    {%- for stream in streams() %}
    cast(max(case when stream = '{{ stream }}' then events end) as {{ type_bigint() }}) as {{ stream }}{% if not loop.last %},{% endif %}
    {%- endfor %}
from {{ ref('run_event_counts') }}
