-- Installs as they were reported; an id may be reported again (see int_installs).
select
    events.source,
    events.event_id,
    events.at,
    coalesce(links.org_id, events.subject) as org_id,
    {{ json_text('events.data', 'installId') }} as install_id,
    {{ json_text('events.data', 'packageId') }} as package_id,
    {{ json_text('events.data', 'bundleId') }} as bundle_id,
    {{ json_text('events.data', 'templateId') }} as template_id,
    {{ json_text('events.data', 'userId') }} as user_id,
    {{ json_text('events.data', 'channel') }} as channel,
    {{ json_text('events.data', 'partnerId') }} as partner_id
from {{ ref('fct_installs') }} as events
left join {{ ref('stg_installs__identity_links') }} as links on events.subject = links.visitor_id
where events.type = 'install.created'
