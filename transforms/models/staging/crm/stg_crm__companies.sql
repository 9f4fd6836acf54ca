-- Companies as they stand: an upsert is the whole state, the last one by (time, source, id) wins.
with

states as (
    select
        events.source,
        events.event_id,
        events.at,
        events.data,
        {{ json_text('data', 'companyId') }} as company_id,
        row_number() over (
            partition by {{ json_text('data', 'companyId') }} order by events.at desc, events.source desc, events.event_id desc
        ) as recency
    from {{ ref('fct_crm') }} as events
    where type = 'company.upserted'
)

select
    states.source,
    states.event_id,
    states.at,
    states.data,
    company_id,
    {{ json_text('data', 'orgId') }} as org_id,
    {{ json_text('data', 'name') }} as name,
    {{ json_text('data', 'domain') }} as domain,
    {{ json_text('data', 'industry') }} as industry,
    {{ json_int('data', 'employees') }} as employees,
    {{ json_text('data', 'country') }} as country,
    {{ json_text('data', 'segment') }} as segment,
    {{ json_text('data', 'motion') }} as motion,
    {{ json_text('data', 'ownerId') }} as owner_id,
    coalesce({{ json_bool('data', 'targetAccount') }}, false) as is_target_account
from states
where recency = 1
