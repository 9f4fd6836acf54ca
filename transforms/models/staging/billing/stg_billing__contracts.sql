-- Contracts as signed. Dates stay text as well: one without a time is a date of whichever zone asks.
select
    events.source,
    events.event_id,
    events.at,
    events.subject as org_id,
    {{ json_text('data', 'contractId') }} as contract_id,
    {{ json_text('data', 'startsAt') }} as starts_at_text,
    {{ json_instant('data', 'startsAt') }} as starts_at,
    {{ json_instant('data', 'endsAt') }} as ends_at,
    {{ json_int('data', 'totalMinor') }} as total_minor,
    {{ json_text('data', 'currency') }} as currency
from {{ ref('fct_billing') }} as events
where type = 'contract.signed'
