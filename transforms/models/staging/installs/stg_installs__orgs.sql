-- Every state an org was given; the last one by (at, source, event_id) is what it is.
select
    subject as org_id,
    source,
    event_id,
    events.at as at,
    {{ json_text('data', 'name') }} as name,
    {{ json_text('data', 'segment') }} as segment,
    {{ json_text('data', 'country') }} as country,
    {{ json_text('data', 'zone') }} as zone,
    {{ json_text('data', 'parentOrgId') }} as parent_org_id,
    {{ json_text('data', 'billToPartnerId') }} as bill_to_partner_id,
    {{ json_object('data', 'flags') }} as flags
from {{ ref('fct_installs') }} as events
where type = 'org.upserted'
