-- Executions and recorded usage that count, typed: each identity once, corrections applied, none at or after as_of.
{{ config(materialized='kept', stale='stale_execution_keys', stream='executions') }}
with

events as (
    {{ facts_of('executions') }}
)

select
    day,
    subject as org_id,
    source,
    event_id,
    type,
    events.at as at,
    recorded_at,
    log_partition,
    log_offset,
    {{ json_text('data', 'executionId') }} as execution_id,
    {{ json_int('data', 'attempt') }} as attempt,
    {{ json_text('data', 'packageId') }} as package_id,
    {{ json_text('data', 'installId') }} as install_id,
    {{ json_text('data', 'workflow') }} as workflow,
    {{ json_text('data', 'userId') }} as user_id,
    {{ json_int('data', 'durationMs') }} as duration_ms,
    {{ json_int('data', 'costMicros') }} as cost_micros,
    {{ json_text('data', 'currency') }} as currency,
    {{ json_bool('data', 'humanIntervention') }} as human_intervention,
    {{ json_decimal('data', 'savedMinutes') }} as saved_minutes,
    {{ json_bool('data', 'byoKey') }} as byo_key,
    {{ json_text('data', 'meter') }} as meter,
    {{ json_decimal('data', 'quantity') }} as quantity,
    {{ json_text('data', 'unique') }} as unique_key,
    {{ json_object('data', 'usage') }} as usage
from events
