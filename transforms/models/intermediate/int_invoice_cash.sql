-- How much of each invoice line's net amount is cash that was kept, after each payment, refund and lost dispute.
-- Whole cents go to lines by largest remainder, tax included, then the tax share is taken out. A credit note lowers what
-- a line asks for; money beyond what an invoice asks for is not the invoice's.
with

-- what each line asks for; tax that only the invoice states is spread over its lines
taxed as (
    select
        lines.invoice_id as invoice_id,
        lines.line_id as line_id,
        lines.org_id as org_id,
        lines.currency as currency,
        lines.kind as line_kind,
        lines.product_id as product_id,
        lines.period_start_text as period_start_text,
        lines.period_end_text as period_end_text,
        lines.line_index as place,
        lines.amount_minor as net_minor,
        lines.amount_minor as weight_minor,
        lines.tax_minor as own_tax_minor,
        greatest(invoices.tax_minor - sum(lines.tax_minor) over (partition by lines.invoice_id), 0) as total_minor
    from {{ ref('stg_billing__invoice_lines') }} as lines
    inner join {{ ref('stg_billing__invoices') }} as invoices on lines.invoice_id = invoices.invoice_id
),

lines as (
    select split_tax.*, net_minor + own_tax_minor + share_minor as gross_minor
    from ({{ allocate('taxed', ['invoice_id']) }}) as split_tax
),

-- cash in and out; a payment or refund that two systems report under one id is one
reported as (
    select
        payments.invoice_id, 'payment' as cash_kind, coalesce(payments.payment_id, payments.source || '/' || payments.event_id) as cash_id,
        payments.source, payments.event_id, payments.at, payments.amount_minor as in_minor, 0 as out_minor
    from {{ ref('stg_billing__payments') }} as payments
    where payments.amount_minor > 0
    union all
    select
        refunds.invoice_id, 'refund' as cash_kind, refunds.refund_id as cash_id,
        refunds.source, refunds.event_id, refunds.at, 0 as in_minor, refunds.amount_minor as out_minor
    from {{ ref('stg_billing__refunds') }} as refunds
    union all
    select
        disputes.invoice_id, 'dispute' as cash_kind, disputes.dispute_id as cash_id,
        disputes.source, disputes.event_id, disputes.at, 0 as in_minor, disputes.amount_minor as out_minor
    from {{ ref('stg_billing__disputes') }} as disputes
    where disputes.outcome = 'lost'
),

cash as (
    select *
    from (
        select
            reported.*,
            row_number() over (
                partition by reported.invoice_id, reported.cash_kind, reported.cash_id
                order by reported.at, reported.source, reported.event_id
            ) as report
        from reported
    ) as numbered
    where report = 1
),

-- what a refund takes from lines that it names; without names it is spread
named as (
    select invoice_id, refund_id, line_id, {{ int_sum('amount_minor') }} as named_minor
    from {{ ref('stg_billing__refund_lines') }}
    group by invoice_id, refund_id, line_id
),

named_refunds as (
    select invoice_id, refund_id from named group by invoice_id, refund_id
),

credits as (
    select notes.invoice_id, notes.line_id, notes.at, notes.amount_minor + notes.tax_minor as credit_minor
    from {{ ref('stg_billing__credit_notes') }} as notes
),

-- cash so far, in the order of events
steps as (
    select
        cash.invoice_id as invoice_id,
        cash.cash_kind as cash_kind,
        cash.cash_id as cash_id,
        cash.source as source,
        cash.event_id as event_id,
        cash.at as at,
        row_number() over (partition by cash.invoice_id order by cash.at, cash.source, cash.event_id) as step,
        max(case when cash.cash_kind = 'payment' then cash.at end) over (
            partition by cash.invoice_id order by cash.at, cash.source, cash.event_id rows between unbounded preceding and current row
        ) as last_paid_at,
        {{ running_sum('cash.in_minor', 'cash.invoice_id', 'cash.at, cash.source, cash.event_id') }} as paid_minor,
        {{ running_sum('cash.out_minor', 'cash.invoice_id', 'cash.at, cash.source, cash.event_id') }} as back_minor,
        {{ running_sum(
            'case when named_refunds.refund_id is null then cash.out_minor else 0 end',
            'cash.invoice_id', 'cash.at, cash.source, cash.event_id'
        ) }} as spread_back_minor
    from cash
    left join named_refunds
        on cash.invoice_id = named_refunds.invoice_id
        and cash.cash_kind = 'refund'
        and cash.cash_id = named_refunds.refund_id
),

-- every line at every step: what it asked for by then, and what refunds took from it by name so far
line_steps as (
    select
        steps.invoice_id as invoice_id,
        steps.step as step,
        lines.line_id as line_id,
        {{ running_sum('coalesce(named.named_minor, 0)', 'steps.invoice_id, lines.line_id', 'steps.step') }} as named_minor
    from steps
    inner join lines on steps.invoice_id = lines.invoice_id
    left join named
        on steps.invoice_id = named.invoice_id
        and lines.line_id = named.line_id
        and steps.cash_kind = 'refund'
        and steps.cash_id = named.refund_id
),

credited as (
    select
        steps.invoice_id as invoice_id,
        steps.step as step,
        credits.line_id as line_id,
        {{ int_sum('credits.credit_minor') }} as credit_minor,
        {{ int_sum('case when credits.at <= coalesce(steps.last_paid_at, steps.at) then credits.credit_minor end') }} as paid_credit_minor
    from steps
    inner join credits on steps.invoice_id = credits.invoice_id
    where credits.at <= steps.at
    group by steps.invoice_id, steps.step, credits.line_id
),

-- a payment goes to what the lines asked for when it was made; what they ask for now bounds what they can keep
asked as (
    select
        line_steps.invoice_id as invoice_id,
        line_steps.step as step,
        line_steps.line_id as line_id,
        line_steps.named_minor as named_minor,
        lines.place as place,
        {{ less_credit('lines.gross_minor', 'credited.paid_credit_minor') }} as weight_minor,
        {{ less_credit('lines.gross_minor', 'credited.credit_minor') }} as bound_minor
    from line_steps
    inner join lines on line_steps.invoice_id = lines.invoice_id and line_steps.line_id = lines.line_id
    left join credited
        on line_steps.invoice_id = credited.invoice_id
        and line_steps.step = credited.step
        and line_steps.line_id = credited.line_id
),

-- payments and refunds without names, spread over the lines
paid as (
    select asked.*, steps.paid_minor as total_minor
    from asked
    inner join steps on asked.invoice_id = steps.invoice_id and asked.step = steps.step
),

paid_back as (
    select asked.*, steps.spread_back_minor as total_minor
    from asked
    inner join steps on asked.invoice_id = steps.invoice_id and asked.step = steps.step
),

-- a line never gives back more than it got, nor keeps more than it asks for
bounded as (
    select
        paid_lines.invoice_id as invoice_id,
        paid_lines.step as step,
        paid_lines.line_id as line_id,
        paid_lines.place as place,
        paid_lines.bound_minor as bound_minor,
        steps.paid_minor - steps.back_minor as left_minor,
        case
            when paid_lines.bound_minor < 0
                then greatest(least(paid_lines.share_minor - back_lines.share_minor - paid_lines.named_minor, 0), paid_lines.bound_minor)
            else least(greatest(paid_lines.share_minor - back_lines.share_minor - paid_lines.named_minor, 0), paid_lines.bound_minor)
        end as own_minor
    from ({{ allocate('paid', ['invoice_id', 'step']) }}) as paid_lines
    inner join ({{ allocate('paid_back', ['invoice_id', 'step']) }}) as back_lines
        on paid_lines.invoice_id = back_lines.invoice_id
        and paid_lines.step = back_lines.step
        and paid_lines.line_id = back_lines.line_id
    inner join steps on paid_lines.invoice_id = steps.invoice_id and paid_lines.step = steps.step
),

sums as (
    select
        bounded.*,
        sum(own_minor) over (partition by invoice_id, step) as own_sum,
        least(greatest(left_minor, 0), greatest(sum(bound_minor) over (partition by invoice_id, step), 0)) as kept_sum
    from bounded
),

-- what those bounds leave over is settled between the lines, so that they sum to the cash kept and all close at zero
settled as (
    select
        invoice_id,
        step,
        line_id,
        place,
        case when own_sum >= kept_sum then 0 else own_minor end as settled_minor,
        case when own_sum >= kept_sum then kept_sum else kept_sum - own_sum end as total_minor,
        case when own_sum >= kept_sum then own_minor else greatest(bound_minor - own_minor, 0) end as weight_minor
    from sums
),

kept as (
    {{ allocate('settled', ['invoice_id', 'step']) }}
)

select
    steps.invoice_id as invoice_id,
    lines.line_id as line_id,
    lines.org_id as org_id,
    lines.currency as currency,
    lines.line_kind as line_kind,
    lines.product_id as product_id,
    lines.period_start_text as period_start_text,
    lines.period_end_text as period_end_text,
    steps.step as step,
    steps.cash_kind as cash_kind,
    steps.cash_id as cash_id,
    steps.source as source,
    steps.event_id as event_id,
    steps.at as at,
    lines.place as line_place,
    lines.net_minor as line_net_minor,
    coalesce({{ div_round(wide('(kept.settled_minor + kept.share_minor)') ~ ' * lines.net_minor', 'lines.gross_minor') }}, 0) as kept_minor
from kept
inner join steps on kept.invoice_id = steps.invoice_id and kept.step = steps.step
inner join lines on kept.invoice_id = lines.invoice_id and kept.line_id = lines.line_id
