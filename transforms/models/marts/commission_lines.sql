-- What partners earned: one line per payment, refund or lost dispute, invoice line and partner.
-- One formula for all: desired = round(share × cash kept so far), and the line is desired − already earned.
with

cash as (
    select cash.*, case when line_net_minor < 0 then -1 else 1 end as sign
    from {{ ref('int_invoice_cash') }} as cash
),

-- money goes back from the last payment first: what is kept through a payment is the least that was kept since
stacked as (
    select
        paid.invoice_id as invoice_id,
        paid.line_id as line_id,
        paid.cash_id as payment_id,
        paid.step as payment_step,
        cash.step as step,
        cash.sign as sign,
        cash.sign * cash.kept_minor as kept_now,
        min(cash.sign * cash.kept_minor) over (
            partition by paid.invoice_id, paid.line_id, paid.step order by cash.step
            rows between unbounded preceding and current row
        ) as least_since,
        max(paid.step) over (partition by paid.invoice_id, paid.line_id, cash.step) as last_payment_step
    from cash as paid
    inner join cash
        on paid.invoice_id = cash.invoice_id
        and paid.line_id = cash.line_id
    where paid.cash_kind = 'payment' and cash.step >= paid.step
),

kept_through as (
    select
        stacked.*,
        case when payment_step = last_payment_step then kept_now else least_since end as through_minor
    from stacked
),

kept as (
    select
        kept_through.*,
        sign * (through_minor - lag(through_minor, 1, cast(0 as {{ type_bigint() }})) over (
            partition by invoice_id, line_id, step order by payment_step
        )) as after_minor
    from kept_through
),

changes as (
    select
        kept.*,
        lag(after_minor, 1, cast(0 as {{ type_bigint() }})) over (
            partition by invoice_id, line_id, payment_step order by step
        ) as before_minor
    from kept
),

-- exact earnings so far, as numerators; payments of a line that earn one partner one way are rounded together
earnings as (
    select
        changes.invoice_id as invoice_id,
        changes.line_id as line_id,
        changes.payment_id as payment_id,
        changes.payment_step as payment_step,
        changes.step as step,
        changes.before_minor as before_minor,
        changes.after_minor as after_minor,
        rates.rate_denominator as denominator,
        {{ wide('changes.before_minor') }} * rates.rate_numerator as before_earned,
        {{ wide('changes.after_minor') }} * rates.rate_numerator as after_earned,
        sum({{ wide('changes.before_minor') }} * rates.rate_numerator) over (
            partition by changes.invoice_id, changes.line_id, changes.step, rates.partner_id, rates.program_id, rates.rate_denominator
            order by changes.payment_step rows between unbounded preceding and current row
        ) as before_through,
        sum({{ wide('changes.after_minor') }} * rates.rate_numerator) over (
            partition by changes.invoice_id, changes.line_id, changes.step, rates.partner_id, rates.program_id, rates.rate_denominator
            order by changes.payment_step rows between unbounded preceding and current row
        ) as after_through,
        sum({{ wide('changes.after_minor') }} * rates.rate_numerator) over (
            partition by changes.invoice_id, changes.line_id, changes.step, rates.partner_id, rates.program_id, rates.rate_denominator
        ) as after_total
    from changes
    inner join {{ ref('int_commission_rates') }} as rates
        on changes.invoice_id = rates.invoice_id
        and changes.line_id = rates.line_id
        and changes.payment_id = rates.payment_id
),

-- payments change one after the other, the last first; each takes the rounding of its own step
lines as (
    select
        earnings.*,
        {{ div_round('before_through + after_total - after_through - before_earned + after_earned', 'denominator') }}
        - {{ div_round('before_through + after_total - after_through', 'denominator') }} as amount_minor
    from earnings
    where step = payment_step or before_minor <> after_minor
)

select
    {{ hash_id('cml', [
        'lines.payment_id',
        "case when lines.step = lines.payment_step then '' else cash.cash_id end",
        'lines.invoice_id', 'lines.line_id', 'rates.partner_id',
        "case when lines.step = lines.payment_step then 'earned' else 'reversal' end",
    ]) }} as line_id,
    {{ month_start('cash.at') }} as month,
    rates.partner_id as partner_id,
    rates.program_id as program_id,
    rates.rule_id as rule_id,
    rates.rule_version as rule_version,
    rates.catalog_version as catalog_version,
    cash.org_id as org_id,
    lines.invoice_id as invoice_id,
    lines.line_id as invoice_line_id,
    lines.payment_id as payment_id,
    case when cash.cash_kind = 'refund' then cash.cash_id end as refund_id,
    case when cash.cash_kind = 'dispute' then cash.cash_id end as dispute_id,
    case when lines.step = lines.payment_step then 'earned' else 'reversal' end as kind,
    lines.after_minor - lines.before_minor as base_minor,
    rates.rate_ppm as rate_ppm,
    rates.flat_share_minor as flat_minor,
    rates.window_days as window_days,
    rates.period_days as period_days,
    lines.amount_minor as amount_minor,
    cash.currency as currency,
    cash.at as earned_at,
    rates.hold_until as hold_until,
    rates.status as status,
    rates.reason as reason,
    payments.decided_by || ' (' || payments.attributed_source || ' ' || payments.attributed_event_id || '); '
    || 'rule ' || rates.rule_id || ' version ' || cast(rates.rule_version as {{ type_text() }}) || ', ' || rates.window_text as trail,
    rates.is_assumed as is_assumed,
    cash.source as event_source,
    cash.event_id as event_id,
    payments.attributed_source as attributed_source,
    payments.attributed_event_id as attributed_event_id
from lines
inner join {{ ref('int_commission_rates') }} as rates
    on lines.invoice_id = rates.invoice_id
    and lines.line_id = rates.line_id
    and lines.payment_id = rates.payment_id
inner join {{ ref('int_commission_payments') }} as payments
    on lines.invoice_id = payments.invoice_id
    and lines.payment_id = payments.payment_id
inner join cash
    on lines.invoice_id = cash.invoice_id
    and lines.line_id = cash.line_id
    and lines.step = cash.step
