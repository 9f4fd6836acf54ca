-- Deals that partners registered, as they stand.
with

states as (
    select
        events.source,
        events.event_id,
        events.at,
        events.data,
        {{ json_text('data', 'registrationId') }} as registration_id,
        row_number() over (
            partition by {{ json_text('data', 'registrationId') }} order by events.at desc, events.source desc, events.event_id desc
        ) as recency
    from {{ ref('fct_crm') }} as events
    where type = 'deal.registered'
)

select
    states.source,
    states.event_id,
    states.at,
    registration_id,
    {{ json_text('data', 'partnerId') }} as partner_id,
    {{ json_text('data', 'companyName') }} as company_name,
    {{ json_text('data', 'domain') }} as domain,
    {{ json_text('data', 'status') }} as status
from states
where recency = 1
