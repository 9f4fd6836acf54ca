-- Payments of invoices, in part or in full; one without an amount pays what the invoice asks for.
select
    events.source as source,
    events.event_id as event_id,
    events.at as at,
    events.subject as org_id,
    {{ json_text('events.data', 'invoiceId') }} as invoice_id,
    {{ json_text('events.data', 'paymentId') }} as payment_id,
    coalesce({{ json_int('events.data', 'amountMinor') }}, invoices.total_minor) as amount_minor,
    coalesce({{ json_text('events.data', 'currency') }}, invoices.currency) as currency
from {{ ref('fct_billing') }} as events
left join {{ ref('stg_billing__invoices') }} as invoices
    on {{ json_text('events.data', 'invoiceId') }} = invoices.invoice_id
where events.type = 'invoice.paid'
