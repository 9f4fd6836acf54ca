-- Leads as they stand: an upsert is the whole state, the last one by (time, source, id) wins.
with

states as (
    select
        events.source,
        events.event_id,
        events.at,
        events.data,
        {{ json_text('data', 'leadId') }} as lead_id,
        row_number() over (
            partition by {{ json_text('data', 'leadId') }} order by events.at desc, events.source desc, events.event_id desc
        ) as recency
    from {{ ref('fct_crm') }} as events
    where type = 'lead.upserted'
)

select
    states.source,
    states.event_id,
    states.at,
    lead_id,
    {{ json_text('data', 'email') }} as email,
    {{ json_text('data', 'companyId') }} as company_id,
    {{ json_text('data', 'orgId') }} as org_id,
    {{ json_text('data', 'ownerId') }} as owner_id,
    {{ json_text('data', 'source') }} as lead_source,
    {{ json_text('data', 'channel') }} as channel,
    {{ json_text('data', 'status') }} as status,
    {{ json_instant('data', 'createdAt') }} as created_at,
    {{ json_instant('data', 'qualifiedAt') }} as qualified_at,
    {{ json_instant('data', 'convertedAt') }} as converted_at,
    {{ json_object('data', 'attributes') }} as attributes
from states
where recency = 1
