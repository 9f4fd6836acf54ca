-- One row per customer org that any event speaks of, as it last described itself.
with

-- subjects that are orgs by the event's type (a visitor, partner or 'company' may be the subject of others)
seen as (
    select installs.subject as org_id, installs.at as at from {{ ref('fct_installs') }} as installs
    where type in ('org.upserted', 'signup.created', 'activation.reached', 'session.active', 'recommendation.shown',
        'recommendation.accepted', 'install.created', 'install.configured', 'install.uninstalled', 'install.first_value',
        'trial.started', 'trial.ended')
    union all
    select billing.subject as org_id, least(billing.at, coalesce({{ json_instant('billing.data', 'effectiveAt') }}, billing.at)) as at
    from {{ ref('fct_billing') }} as billing
    where type like 'subscription.%' or type like 'invoice.%' or type in ('contract.signed', 'credit_note.issued',
        'dispute.opened', 'dispute.closed', 'credit.granted')
    union all
    select org_id, first_at as at from {{ ref('fct_execution_days') }}
),

firsts as (
    select seen.org_id as org_id, min(seen.at) as first_seen_at from seen group by seen.org_id
),

states as (
    select orgs.*, row_number() over (partition by orgs.org_id order by orgs.at desc, orgs.source desc, orgs.event_id desc) as place
    from {{ ref('stg_installs__orgs') }} as orgs
)

select
    firsts.org_id as org_id,
    -- by event time or, for subscriptions, by when they took effect
    firsts.first_seen_at as first_seen_at,
    states.name as name,
    coalesce(states.segment, 'none') as segment,
    coalesce(states.country, 'none') as country,
    states.zone as zone,
    states.parent_org_id as parent_org_id,
    states.bill_to_partner_id as bill_to_partner_id,
    coalesce(states.flags like '%"test"%' or states.flags like '%"internal"%', false) as is_excluded,
    states.source as source,
    states.event_id as event_id
from firsts
left join states
    on firsts.org_id = states.org_id
    and states.place = 1
