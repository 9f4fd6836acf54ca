{# Executions and recorded usage as typed columns: what a run keeps as facts, and what is added to them between runs. #}

{% macro execution_columns() -%}
day, org_id, source, event_id, type, "at", recorded_at, log_partition, log_offset, execution_id, attempt, package_id, install_id, workflow,
user_id, duration_ms, cost_micros, currency, human_intervention, saved_minutes, byo_key, meter, quantity, unique_key, usage
{%- endmacro %}

{# `events` has the columns of corrected_events. #}
{% macro typed_executions(events) %}
{%- set texts = ['executionId', 'attempt', 'packageId', 'installId', 'workflow', 'userId', 'durationMs', 'costMicros', 'currency',
    'humanIntervention', 'savedMinutes', 'byoKey', 'meter', 'quantity', 'unique'] %}
select
    records.day as day,
    records.subject as org_id,
    records.source as source,
    records.event_id as event_id,
    records.type as type,
    records.at as at,
    records.recorded_at as recorded_at,
    records.log_partition as log_partition,
    records.log_offset as log_offset,
    {{ record_text('record', 'executionId') }} as execution_id,
    cast({{ record_text('record', 'attempt') }} as {{ type_bigint() }}) as attempt,
    {{ record_text('record', 'packageId') }} as package_id,
    {{ record_text('record', 'installId') }} as install_id,
    {{ record_text('record', 'workflow') }} as workflow,
    {{ record_text('record', 'userId') }} as user_id,
    cast({{ record_text('record', 'durationMs') }} as {{ type_bigint() }}) as duration_ms,
    cast({{ record_text('record', 'costMicros') }} as {{ type_bigint() }}) as cost_micros,
    {{ record_text('record', 'currency') }} as currency,
    {{ record_text('record', 'humanIntervention') }} = 'true' as human_intervention,
    cast({{ record_text('record', 'savedMinutes') }} as {{ type_decimal() }}) as saved_minutes,
    {{ record_text('record', 'byoKey') }} = 'true' as byo_key,
    {{ record_text('record', 'meter') }} as meter,
    cast({{ record_text('record', 'quantity') }} as {{ type_decimal() }}) as quantity,
    {{ record_text('record', 'unique') }} as unique_key,
    {{ record_object('record', 'usage') }} as usage
from (
    select
        events.day as day,
        events.subject as subject,
        events.source as source,
        events.event_id as event_id,
        events.type as type,
        events.at as at,
        events.recorded_at as recorded_at,
        events.log_partition as log_partition,
        events.log_offset as log_offset,
        {{ json_record('events.data', texts, ['usage']) }} as record
    from ({{ events }}) as events
) as records
{% endmacro %}
