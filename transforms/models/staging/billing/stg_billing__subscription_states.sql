-- Every state a subscription was given, whole; effective_at says from when it holds.
select
    events.source as source,
    events.event_id as event_id,
    events.at as at,
    coalesce({{ json_instant('events.data', 'effectiveAt') }}, events.at) as effective_at,
    events.type as type,
    events.subject as org_id,
    {{ json_text('events.data', 'subscriptionId') }} as subscription_id,
    {{ json_text('events.data', 'currency') }} as currency,
    -- the type decides before the status does; no status means active
    case
        when events.type = 'subscription.canceled' then 'canceled'
        when events.type = 'subscription.paused' then 'paused'
        else coalesce({{ json_text('events.data', 'status') }}, 'active')
    end as status,
    {{ json_instant('events.data', 'trialEndsAt') }} as trial_ends_at,
    {{ json_instant('events.data', 'billingAnchorAt') }} as billing_anchor_at,
    {{ json_text('events.data', 'partnerId') }} as partner_id,
    {{ json_text('events.data', 'reason') }} as reason,
    {{ json_object('events.data', 'items') }} as items,
    {{ json_object('events.data', 'discounts') }} as discounts,
    events.data as data
from {{ ref('fct_billing') }} as events
where events.type like 'subscription.%'
