-- Which rule pays a partner for a payment on an invoice line, what share of the cash that is, and how long it is held.
-- The share is rate_numerator ÷ rate_denominator, so that a line's commission needs one rounding only.
with

line_payments as (
    select
        cash.invoice_id as invoice_id,
        cash.line_id as line_id,
        cash.line_place as place,
        cash.line_kind as line_kind,
        cash.product_id as product_id,
        cash.line_net_minor as line_net_minor,
        cash.currency as currency,
        cash.period_start_text as period_start_text,
        cash.period_end_text as period_end_text,
        payments.payment_id as payment_id,
        payments.org_id as org_id,
        payments.payment_number as payment_number,
        payments.partner_id as partner_id,
        payments.program_id as program_id,
        payments.partner_kind as partner_kind,
        payments.is_kind_fit as is_kind_fit,
        payments.tier as tier,
        payments.catalog_version as catalog_version,
        payments.zone as zone,
        payments.hold_days as hold_days,
        payments.hold_months as hold_months,
        {{ local_date('payments.paid_at', 'payments.zone') }} as paid_day,
        {{ local_date('payments.first_payment_at', 'payments.zone') }} as first_payment_day,
        {{ local_date('payments.signup_at', 'payments.zone') }} as signup_day
    from {{ ref('int_commission_payments') }} as payments
    inner join {{ ref('int_invoice_cash') }} as cash
        on payments.invoice_id = cash.invoice_id
        and payments.payment_id = cash.cash_id
        and cash.cash_kind = 'payment'
),

-- rules of the payment's day that cover the line
covering as (
    select
        line_payments.*,
        rules.rule_id as rule_id,
        rules.rule_version as rule_version,
        rules.precedence as precedence,
        rules.rule_kind as rule_kind,
        rules.rate_ppm as rate_ppm,
        rules.flat_minor as flat_minor,
        rules.flat_currency as flat_currency,
        rules.window_kind as window_kind,
        rules.window_months as window_months,
        rules.anchor as anchor,
        rules.is_assumed as is_assumed
    from line_payments
    inner join {{ ref('stg_catalog__commission_rules') }} as rules
        on line_payments.catalog_version = rules.version
        and line_payments.program_id = rules.program_id
    where
        (rules.product_id is null or rules.product_id = line_payments.product_id)
        and (rules.partner_id is null or rules.partner_id = line_payments.partner_id)
        and (rules.tier is null or rules.tier = line_payments.tier)
        and (rules.line_kind is null or rules.line_kind = line_payments.line_kind)
        and (rules.window_kind <> 'first_payment' or line_payments.payment_number = 1)
),

first_contracts as (
    select contracts.org_id as org_id, min(contracts.starts_at_text) as starts_at_text
    from {{ ref('stg_billing__contracts') }} as contracts
    group by contracts.org_id
),

-- the first-months window as days of the program's zone; an org without the anchor counts from its first payment
windows as (
    select
        covering.*,
        case covering.anchor
            when 'signup' then coalesce(covering.signup_day, covering.first_payment_day)
            when 'contract_start' then coalesce(
                {{ local_date_of_text('first_contracts.starts_at_text', 'covering.zone') }}, covering.first_payment_day
            )
            else covering.first_payment_day
        end as anchor_day,
        -- a line without a period, or within one day, counts as the day of its payment or its own
        coalesce(
            {{ local_date_of_text('covering.period_start_text', 'covering.zone') }}, covering.paid_day
        ) as first_day,
        coalesce(
            {{ local_date_of_text('covering.period_end_text', 'covering.zone') }}, {{ add_days('covering.paid_day', 1) }}
        ) as stated_end_day
    from covering
    left join first_contracts on covering.org_id = first_contracts.org_id
),

counted as (
    select
        windows.*,
        case when window_kind = 'first_months' then {{ days_between('first_day', 'end_day') }} else 1 end as period_days,
        case when window_kind = 'first_months' then greatest(
            {{ days_between('greatest(first_day, anchor_day)', 'least(end_day, window_end_day)') }}, 0
        ) else 1 end as window_days
    from (
        select
            windows.*,
            case
                when stated_end_day > first_day then stated_end_day
                else {{ add_days('first_day', 1) }}
            end as end_day,
            -- counted from the anchor, not month by month: the 31st stays the 31st where a month has one
            {{ add_months('anchor_day', 'coalesce(window_months, 0)') }} as window_end_day
        from windows
    ) as windows
),

-- the lowest precedence decides among the rules that have anything to say about the line, then the smaller id
chosen as (
    select ranked.*
    from (
        select
            counted.*,
            row_number() over (
                partition by invoice_id, line_id, payment_id order by precedence, rule_id, rule_version desc
            ) as rule_place
        from counted
        where window_days > 0
    ) as ranked
    where rule_place = 1
),

-- a flat fee is for the payment's invoice: the lines that the rule covers share it
flat_fees as (
    select
        invoice_id,
        line_id,
        payment_id,
        rule_id,
        place,
        flat_minor as total_minor,
        line_net_minor as weight_minor
    from chosen
    where rule_kind = 'flat'
),

flat_shares as (
    {{ allocate('flat_fees', ['invoice_id', 'payment_id', 'rule_id']) }}
),

rated as (
    select
        chosen.*,
        flat_shares.share_minor as flat_share_minor,
        case
            when chosen.rule_kind not in ('percent', 'flat') then 'rules of kind ' || chosen.rule_kind || ' are not computed yet'
            when not chosen.is_kind_fit
                then 'a partner of kind ' || chosen.partner_kind || ' does not fit program ' || chosen.program_id
            when chosen.rule_kind = 'flat' and chosen.flat_currency <> chosen.currency
                then 'the fee is in ' || chosen.flat_currency || ', the invoice in ' || chosen.currency
        end as blocked_because,
        case
            when chosen.hold_months is null then {{ add_days('chosen.paid_day', 'coalesce(chosen.hold_days, 0)') }}
            -- to the end of the Nth month after: due on the first day after it
            else {{ add_months(month_start('chosen.paid_day'), 'coalesce(chosen.hold_months, 0) + 1') }}
        end as hold_until
    from chosen
    left join flat_shares
        on chosen.invoice_id = flat_shares.invoice_id
        and chosen.line_id = flat_shares.line_id
        and chosen.payment_id = flat_shares.payment_id
)

select
    invoice_id,
    line_id,
    payment_id,
    partner_id,
    program_id,
    rule_id,
    rule_version,
    catalog_version,
    rule_kind,
    rate_ppm,
    flat_share_minor,
    window_days,
    period_days,
    case
        when rule_kind = 'percent' then {{ wide('rate_ppm') }} * window_days
        when rule_kind = 'flat' and flat_currency = currency then {{ wide('flat_share_minor') }} * window_days
        else 0
    end as rate_numerator,
    case
        when rule_kind = 'percent' then {{ wide('period_days') }} * 1000000
        when rule_kind = 'flat' and line_net_minor <> 0 then {{ wide('line_net_minor') }} * period_days
        else 1
    end as rate_denominator,
    case
        when window_kind = 'first_months' then 'first ' || cast(window_months as {{ type_text() }}) || ' months from '
            || cast(anchor_day as {{ type_text() }}) || ' (' || anchor || '): ' || cast(window_days as {{ type_text() }})
            || ' of ' || cast(period_days as {{ type_text() }}) || ' service days'
        when window_kind = 'first_payment' then 'first payment only'
        else 'without end'
    end as window_text,
    hold_until,
    case
        when blocked_because is not null then 'blocked'
        when {{ local_date(as_of(), 'zone') }} >= hold_until then 'due'
        else 'held'
    end as status,
    coalesce(
        blocked_because,
        case when {{ local_date(as_of(), 'zone') }} >= hold_until then 'hold ended ' else 'on hold until ' end
            || cast(hold_until as {{ type_text() }})
    ) as reason,
    is_assumed
from rated
