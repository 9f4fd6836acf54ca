-- Invoices as issued; one that two systems report is the last report. A voided invoice is owed by nobody and is left out.
with

issued as (
    select
        events.source as source,
        events.event_id as event_id,
        events.at as at,
        events.subject as org_id,
        {{ json_text('events.data', 'invoiceId') }} as invoice_id,
        events.data as data,
        row_number() over (
            partition by {{ json_text('events.data', 'invoiceId') }}
            order by events.at desc, events.source desc, events.event_id desc
        ) as recency
    from {{ ref('fct_billing') }} as events
    where events.type = 'invoice.finalized'
),

voided as (
    select distinct {{ json_text('data', 'invoiceId') }} as invoice_id
    from {{ ref('fct_billing') }}
    where type = 'invoice.voided'
)

select
    issued.source as source,
    issued.event_id as event_id,
    issued.at as at,
    issued.org_id as org_id,
    issued.invoice_id as invoice_id,
    {{ json_text('issued.data', 'subscriptionId') }} as subscription_id,
    {{ json_text('issued.data', 'currency') }} as currency,
    {{ json_int('issued.data', 'totalMinor') }} as total_minor,
    -- tax that is stated for the whole invoice; lines may state theirs
    coalesce({{ json_int('issued.data', 'taxMinor') }}, 0) as tax_minor,
    issued.data as data
from issued
left join voided on issued.invoice_id = voided.invoice_id
where issued.recency = 1 and voided.invoice_id is null
