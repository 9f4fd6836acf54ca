-- Installs whose configuration was finished.
select
    events.source,
    events.event_id,
    events.at,
    coalesce(links.org_id, events.subject) as org_id,
    {{ json_text('events.data', 'installId') }} as install_id,
    {{ json_text('events.data', 'packageId') }} as package_id
from {{ ref('fct_installs') }} as events
left join {{ ref('stg_installs__identity_links') }} as links on events.subject = links.visitor_id
where events.type = 'install.configured'
