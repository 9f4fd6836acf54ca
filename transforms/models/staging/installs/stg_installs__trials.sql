-- Trials of a package, a bundle or a plan: both their beginnings and their ends (event_type tells them apart).
select
    events.source,
    events.event_id,
    events.at,
    events.type as event_type,
    coalesce(links.org_id, events.subject) as org_id,
    {{ json_text('events.data', 'trialId') }} as trial_id,
    {{ json_text('events.data', 'packageId') }} as package_id,
    {{ json_text('events.data', 'bundleId') }} as bundle_id,
    {{ json_text('events.data', 'planId') }} as plan_id,
    {{ json_instant('events.data', 'endsAt') }} as ends_at,
    {{ json_text('events.data', 'outcome') }} as outcome
from {{ ref('fct_installs') }} as events
left join {{ ref('stg_installs__identity_links') }} as links on events.subject = links.visitor_id
where events.type in ('trial.started', 'trial.ended')
