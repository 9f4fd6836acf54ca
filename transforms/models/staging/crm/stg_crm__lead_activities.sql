-- What leads did: page views, demo requests, replies.
select
    events.source,
    events.event_id,
    events.at,
    {{ json_text('data', 'leadId') }} as lead_id,
    {{ json_text('data', 'kind') }} as kind,
    {{ json_text('data', 'campaignId') }} as campaign_id,
    {{ json_object('data', 'attributes') }} as attributes
from {{ ref('fct_crm') }} as events
where type = 'lead.activity'
