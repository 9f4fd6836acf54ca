-- The moments at which an install was reported to give its first value.
select
    events.source,
    events.event_id,
    events.at,
    coalesce(links.org_id, events.subject) as org_id,
    {{ json_text('events.data', 'installId') }} as install_id,
    {{ json_text('events.data', 'packageId') }} as package_id,
    {{ json_text('events.data', 'kind') }} as value_kind
from {{ ref('fct_installs') }} as events
left join {{ ref('stg_installs__identity_links') }} as links on events.subject = links.visitor_id
where events.type = 'install.first_value'
