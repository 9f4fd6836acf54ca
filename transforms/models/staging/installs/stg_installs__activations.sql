-- The moments at which an org reached its first value as a whole (products without packages).
select
    events.source,
    events.event_id,
    events.at,
    coalesce(links.org_id, events.subject) as org_id,
    {{ json_text('events.data', 'userId') }} as user_id,
    {{ json_text('events.data', 'kind') }} as activation_kind
from {{ ref('fct_installs') }} as events
left join {{ ref('stg_installs__identity_links') }} as links on events.subject = links.visitor_id
where events.type = 'activation.reached'
