-- What ties an org to a partner: clicks of a visitor who turned out to belong to it, and claims made for the org.
-- A click of a visitor nobody has identified yet has no org.
select
    events.source as source,
    events.event_id as event_id,
    events.at as at,
    {{ json_text('events.data', 'partnerId') }} as partner_id,
    case
        when events.type = 'referral.clicked' then links.org_id
        else events.subject
    end as org_id,
    case
        when events.type = 'referral.clicked' then 'click'
        else {{ json_text('events.data', 'method') }}
    end as method,
    {{ json_text('events.data', 'visitorId') }} as visitor_id,
    {{ json_text('events.data', 'linkId') }} as link_id,
    {{ json_text('events.data', 'code') }} as code,
    {{ json_text('events.data', 'registrationId') }} as registration_id,
    {{ json_text('events.data', 'campaign') }} as campaign,
    coalesce({{ json_text('events.data', 'since') }} = 'always', false) as is_always
from {{ ref('fct_crm') }} as events
left join {{ ref('stg_installs__identity_links') }} as links
    on {{ json_text('events.data', 'visitorId') }} = links.visitor_id
where events.type in ('referral.clicked', 'referral.attributed')
