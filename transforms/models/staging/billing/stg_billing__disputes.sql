-- Disputes as they stand, open or closed: the last event by (time, source, id) decides, and its amount counts.
with

states as (
    select
        events.source,
        events.event_id,
        events.at,
        events.type,
        events.data,
        {{ json_text('data', 'disputeId') }} as dispute_id,
        row_number() over (
            partition by {{ json_text('data', 'disputeId') }} order by events.at desc, events.source desc, events.event_id desc
        ) as recency
    from {{ ref('fct_billing') }} as events
    where type in ('dispute.opened', 'dispute.closed')
)

select
    states.source,
    states.event_id,
    states.at,
    dispute_id,
    {{ json_text('data', 'invoiceId') }} as invoice_id,
    {{ json_int('data', 'amountMinor') }} as amount_minor,
    {{ json_text('data', 'currency') }} as currency,
    case when type = 'dispute.opened' then 'open' else {{ json_text('data', 'outcome') }} end as outcome
from states
where recency = 1
