{#
  One commission line. value: the payment, refund or lost dispute that moved it; the invoice, the attribution and (of a reversal)
  the payment only explain. input: the cash kept on the invoice line, event by event, of which the rule takes its share.
#}
with

line as (
    select * from {{ run }}.commission_lines where line_id = {{ param('line_id', 'text') }}
),

-- cash on the line, up to the event that wrote the commission
cash as (
    select
        kept.*,
        kept.kept_minor - lag(kept.kept_minor, 1, cast(0 as bigint)) over (order by kept.step) as change_minor,
        max(case when kept.source = line.event_source and kept.event_id = line.event_id then kept.step end) over () as last_step
    from {{ run }}.int_invoice_cash as kept
    inner join line on kept.invoice_id = line.invoice_id and kept.line_id = line.invoice_line_id
)

select
    'value' as side, line.org_id as org_id, 'billing' as stream, line.event_source as event_source, line.event_id as event_id,
    line.earned_at as at, line.amount_minor as amount, line.trail as detail
from line
union all
select
    'value' as side, line.org_id as org_id, 'billing' as stream, invoices.source as event_source, invoices.event_id as event_id,
    invoices.at as at, 0 as amount, 'invoice ' || line.invoice_id || ', line ' || line.invoice_line_id as detail
from line
inner join {{ run }}.stg_billing__invoice_lines as invoices
    on line.invoice_id = invoices.invoice_id and line.invoice_line_id = invoices.line_id
union all
select
    'value' as side, line.org_id as org_id, 'crm' as stream, payments.attributed_source as event_source,
    payments.attributed_event_id as event_id, payments.attributed_at as at, 0 as amount, 'attribution: ' || payments.decided_by as detail
from line
inner join {{ run }}.int_commission_payments as payments
    on line.invoice_id = payments.invoice_id and line.payment_id = payments.payment_id
union all
select
    'value' as side, cash.org_id as org_id, 'billing' as stream, cash.source as event_source, cash.event_id as event_id,
    cash.at as at, 0 as amount, 'the payment that is reversed' as detail
from cash
inner join line on cash.cash_id = line.payment_id and cash.cash_kind = 'payment'
where line.kind = 'reversal'
union all
select
    'input' as side, cash.org_id as org_id, 'billing' as stream, cash.source as event_source, cash.event_id as event_id,
    cash.at as at, cash.change_minor as amount, cash.cash_kind || ' ' || cash.cash_id as detail
from cash
where cash.step <= cash.last_step
