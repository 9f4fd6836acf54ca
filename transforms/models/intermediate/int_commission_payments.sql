-- Which partner, if any, a payment of an org is credited to, under which program and catalog version.
-- A manual attribution decides alone. Otherwise touches up to the org's first payment do: the first, or the last where
-- the first one's program says so. A touch that comes later counts from then on, and only where nobody was before.
with

payments as (
    select
        cash.invoice_id as invoice_id,
        cash.cash_id as payment_id,
        cash.source as source,
        cash.event_id as event_id,
        cash.at as paid_at,
        cash.org_id as org_id,
        row_number() over (partition by cash.org_id order by cash.at, cash.source, cash.event_id) as payment_number
    from (
        select distinct kept.invoice_id, kept.cash_id, kept.source, kept.event_id, kept.at, kept.org_id
        from {{ ref('int_invoice_cash') }} as kept
        where cash_kind = 'payment'
    ) as cash
    inner join {{ ref('int_orgs') }} as orgs on cash.org_id = orgs.org_id and not orgs.is_excluded
),

first_signups as (
    select signups.org_id as org_id, min(signups.at) as signup_at
    from {{ ref('stg_installs__signups') }} as signups
    group by signups.org_id
),

-- an org is won when it signs up; one that only pays, when it first pays
wins as (
    select
        payments.org_id as org_id,
        payments.paid_at as first_payment_at,
        first_signups.signup_at as signup_at,
        case
            when first_signups.signup_at < payments.paid_at then first_signups.signup_at
            else payments.paid_at
        end as won_at
    from payments
    left join first_signups on payments.org_id = first_signups.org_id
    where payments.payment_number = 1
),

-- the program a partner is in, by the rules of the day on which the org was won
partner_programs as (
    select partner_id, program_id
    from (
        select
            events.partner_id,
            events.program_id,
            row_number() over (
                partition by events.partner_id order by events.at desc, events.source desc, events.event_id desc
            ) as recency
        from {{ ref('stg_crm__partners') }} as events
    ) as states
    where recency = 1
),

referrals as (
    select
        referrals.org_id as org_id,
        referrals.partner_id as partner_id,
        referrals.method as method,
        referrals.visitor_id as visitor_id,
        referrals.is_always as is_always,
        referrals.source as source,
        referrals.event_id as event_id,
        referrals.at as at
    from {{ ref('stg_crm__referrals') }} as referrals
    left join {{ ref('stg_crm__deal_registrations') }} as deals
        on referrals.method = 'deal'
        and referrals.registration_id = deals.registration_id
    -- a registration that was turned down or ran out claims nothing; one we never heard of is taken at its word
    where deals.status is null or deals.status in ('open', 'accepted', 'won')
),

-- the click behind a claim that came by link: the last one of that visitor for that partner
claim_clicks as (
    select
        claims.source as source,
        claims.event_id as event_id,
        max(clicks.at) as clicked_at
    from referrals as claims
    inner join referrals as clicks
        on claims.visitor_id = clicks.visitor_id
        and claims.partner_id = clicks.partner_id
    where claims.method <> 'click' and clicks.method = 'click' and clicks.at <= claims.at
    group by claims.source, claims.event_id
),

touches as (
    select
        referrals.org_id as org_id,
        referrals.partner_id as partner_id,
        referrals.method as method,
        referrals.is_always as is_always,
        referrals.source as source,
        referrals.event_id as event_id,
        referrals.at as at,
        coalesce(claim_clicks.clicked_at, referrals.at) as touched_at,
        wins.first_payment_at as first_payment_at,
        programs.attribution as attribution,
        -- a click wins nothing after the org was won; a claim speaks of the winning itself
        case
            when referrals.method = 'click' then referrals.at <= wins.won_at
                and {{ local_date('wins.won_at', 'programs.zone') }}
                < {{ add_days(local_date('referrals.at', 'programs.zone'), 'programs.window_days') }}
            when claim_clicks.clicked_at is null then true
            else {{ local_date('referrals.at', 'programs.zone') }}
                < {{ add_days(local_date('claim_clicks.clicked_at', 'programs.zone'), 'programs.window_days') }}
        end as is_in_window
    from referrals
    inner join wins on referrals.org_id = wins.org_id
    inner join partner_programs on referrals.partner_id = partner_programs.partner_id
    inner join {{ ref('stg_catalog__programs') }} as programs on partner_programs.program_id = programs.program_id
    left join claim_clicks on referrals.source = claim_clicks.source and referrals.event_id = claim_clicks.event_id
    where
        (programs.effective_from is null or programs.effective_from <= wins.won_at)
        and (programs.effective_to is null or programs.effective_to > wins.won_at)
),

-- the touches that compete: all up to the first payment; without any, the first that came after it
ranked_touches as (
    select
        competing.*,
        row_number() over (partition by org_id, is_late order by touched_at, source, event_id) as place_from_first,
        row_number() over (partition by org_id, is_late order by touched_at desc, source desc, event_id desc) as place_from_last,
        max(case when is_late then 0 else 1 end) over (partition by org_id) as has_early
    from (
        select touches.*, touched_at > first_payment_at and not is_always as is_late
        from touches
        where method <> 'manual' and is_in_window
    ) as competing
),

first_touches as (
    select org_id, attribution, is_late from ranked_touches
    where place_from_first = 1 and (not is_late or has_early = 0)
),

decided as (
    select
        ranked_touches.org_id as org_id,
        ranked_touches.partner_id as partner_id,
        ranked_touches.method as method,
        ranked_touches.source as source,
        ranked_touches.event_id as event_id,
        ranked_touches.at as at,
        ranked_touches.is_late as is_late,
        case when first_touches.is_late then 'first' else first_touches.attribution end as attribution
    from ranked_touches
    inner join first_touches
        on ranked_touches.org_id = first_touches.org_id
        and ranked_touches.is_late = first_touches.is_late
    where case
        when first_touches.is_late or first_touches.attribution = 'first' then ranked_touches.place_from_first
        else ranked_touches.place_from_last
    end = 1
),

-- the manual attribution in force at a payment, before anything that was computed
claims as (
    select
        payments.invoice_id as invoice_id,
        payments.payment_id as payment_id,
        referrals.partner_id as partner_id,
        referrals.source as source,
        referrals.event_id as event_id,
        referrals.at as at,
        0 as rank_of_kind,
        case when referrals.is_always then 'manual, for all payments' else 'manual' end as decided_by
    from payments
    inner join referrals on payments.org_id = referrals.org_id
    where referrals.method = 'manual' and (referrals.is_always or referrals.at <= payments.paid_at)
    union all
    select
        payments.invoice_id as invoice_id,
        payments.payment_id as payment_id,
        decided.partner_id as partner_id,
        decided.source as source,
        decided.event_id as event_id,
        decided.at as at,
        1 as rank_of_kind,
        decided.method || ', ' || decided.attribution || ' touch' as decided_by
    from payments
    inner join decided on payments.org_id = decided.org_id
    where not decided.is_late or decided.at <= payments.paid_at
),

attributed as (
    select *
    from (
        select
            claims.*,
            row_number() over (
                partition by claims.invoice_id, claims.payment_id
                order by claims.rank_of_kind, claims.at desc, claims.source desc, claims.event_id desc
            ) as place
        from claims
    ) as ordered
    where place = 1
),

-- what the partner was when the money came: enrolled in which program, at which tier
partner_states as (
    select
        attributed.invoice_id as invoice_id,
        attributed.payment_id as payment_id,
        states.program_id as program_id,
        states.partner_kind as partner_kind,
        states.tier as tier,
        row_number() over (
            partition by attributed.invoice_id, attributed.payment_id
            order by states.at desc, states.source desc, states.event_id desc
        ) as recency
    from attributed
    inner join payments
        on attributed.invoice_id = payments.invoice_id
        and attributed.payment_id = payments.payment_id
    inner join {{ ref('stg_crm__partners') }} as states on attributed.partner_id = states.partner_id
    where states.at <= payments.paid_at
)

select
    payments.invoice_id as invoice_id,
    payments.payment_id as payment_id,
    payments.org_id as org_id,
    payments.paid_at as paid_at,
    payments.payment_number as payment_number,
    wins.signup_at as signup_at,
    wins.first_payment_at as first_payment_at,
    attributed.partner_id as partner_id,
    attributed.decided_by as decided_by,
    attributed.source as attributed_source,
    attributed.event_id as attributed_event_id,
    attributed.at as attributed_at,
    partner_states.program_id as program_id,
    partner_states.partner_kind as partner_kind,
    partner_states.tier as tier,
    cast(kinds.partner_kind is not null as {{ type_boolean() }}) as is_kind_fit,
    programs.version as catalog_version,
    programs.zone as zone,
    programs.hold_days as hold_days,
    programs.hold_months as hold_months
from payments
inner join wins on payments.org_id = wins.org_id
inner join attributed
    on payments.invoice_id = attributed.invoice_id
    and payments.payment_id = attributed.payment_id
inner join partner_states
    on payments.invoice_id = partner_states.invoice_id
    and payments.payment_id = partner_states.payment_id
    and partner_states.recency = 1
inner join {{ ref('stg_catalog__programs') }} as programs on partner_states.program_id = programs.program_id
left join {{ ref('stg_catalog__program_kinds') }} as kinds
    on programs.version = kinds.version
    and programs.program_id = kinds.program_id
    and partner_states.partner_kind = kinds.partner_kind
where
    (programs.effective_from is null or programs.effective_from <= payments.paid_at)
    and (programs.effective_to is null or programs.effective_to > payments.paid_at)
