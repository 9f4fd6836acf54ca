-- Signups, under the org that a visitor later turned out to be.
select
    events.source,
    events.event_id,
    events.at,
    coalesce(links.org_id, events.subject) as org_id,
    {{ json_text('events.data', 'userId') }} as user_id,
    {{ json_text('events.data', 'visitorId') }} as visitor_id,
    {{ json_text('events.data', 'channel') }} as channel,
    {{ json_text('events.data', 'campaign') }} as campaign,
    {{ json_text('events.data', 'country') }} as country,
    {{ json_text('events.data', 'segment') }} as segment,
    {{ json_text('events.data', 'motion') }} as motion
from {{ ref('fct_installs') }} as events
left join {{ ref('stg_installs__identity_links') }} as links on events.subject = links.visitor_id
where events.type = 'signup.created'
