-- Every state a partner was in. Each event is the whole state; the one in force at an instant is the last before it.
select
    events.source,
    events.event_id,
    events.at,
    {{ json_text('data', 'partnerId') }} as partner_id,
    {{ json_text('data', 'programId') }} as program_id,
    {{ json_text('data', 'kind') }} as partner_kind,
    {{ json_text('data', 'tier') }} as tier,
    {{ json_text('data', 'parentPartnerId') }} as parent_partner_id,
    {{ json_text('data', 'onboarding') }} as onboarding
from {{ ref('fct_crm') }} as events
where type in ('partner.enrolled', 'partner.tier_changed')
