-- Money that went back; a refund that two systems report is the first report.
with

reports as (
    select
        events.source as source,
        events.event_id as event_id,
        events.at as at,
        events.subject as org_id,
        {{ json_text('events.data', 'refundId') }} as refund_id,
        events.data as data,
        row_number() over (
            partition by {{ json_text('events.data', 'refundId') }} order by events.at, events.source, events.event_id
        ) as report
    from {{ ref('fct_billing') }} as events
    where events.type = 'invoice.refunded'
)

select
    reports.source as source,
    reports.event_id as event_id,
    reports.at as at,
    reports.org_id as org_id,
    reports.refund_id as refund_id,
    {{ json_text('reports.data', 'invoiceId') }} as invoice_id,
    {{ json_text('reports.data', 'currency') }} as currency,
    {{ json_int('reports.data', 'amountMinor') }} as amount_minor,
    reports.data as data
from reports
where reports.report = 1
