-- Deals as they stand: an upsert is the whole state, the last one by (time, source, id) wins.
with

states as (
    select
        events.source,
        events.event_id,
        events.at,
        events.data,
        {{ json_text('data', 'dealId') }} as deal_id,
        row_number() over (
            partition by {{ json_text('data', 'dealId') }} order by events.at desc, events.source desc, events.event_id desc
        ) as recency
    from {{ ref('fct_crm') }} as events
    where type = 'deal.upserted'
)

select
    states.source,
    states.event_id,
    states.at,
    deal_id,
    {{ json_text('data', 'companyId') }} as company_id,
    {{ json_text('data', 'leadId') }} as lead_id,
    {{ json_text('data', 'orgId') }} as org_id,
    {{ json_text('data', 'pipelineId') }} as pipeline_id,
    {{ json_text('data', 'stage') }} as stage,
    {{ json_int('data', 'amountMinor') }} as amount_minor,
    {{ json_text('data', 'currency') }} as currency,
    {{ json_text('data', 'kind') }} as kind,
    {{ json_instant('data', 'createdAt') }} as created_at,
    {{ json_instant('data', 'expectedCloseAt') }} as expected_close_at,
    {{ json_instant('data', 'closedAt') }} as closed_at,
    {{ json_text('data', 'outcome') }} as outcome,
    {{ json_text('data', 'lostReason') }} as lost_reason,
    {{ json_text('data', 'forecastCategory') }} as forecast_category,
    {{ json_text('data', 'motion') }} as motion,
    {{ json_text('data', 'ownerId') }} as owner_id,
    {{ json_text('data', 'partnerId') }} as partner_id
from states
where recency = 1
