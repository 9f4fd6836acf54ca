-- Which org a visitor turned out to be. A visitor linked more than once belongs to the org of its last link.
with

links as (
    select
        events.source as source,
        events.event_id as event_id,
        events.at as at,
        {{ json_text('events.data', 'visitorId') }} as visitor_id,
        {{ json_text('events.data', 'orgId') }} as org_id,
        {{ json_text('events.data', 'userId') }} as user_id,
        row_number() over (
            partition by {{ json_text('events.data', 'visitorId') }}
            order by events.at desc, events.source desc, events.event_id desc
        ) as recency
    from {{ ref('fct_installs') }} as events
    where events.type = 'identity.linked'
)

select
    links.source as source,
    links.event_id as event_id,
    links.at as at,
    links.visitor_id as visitor_id,
    links.org_id as org_id,
    links.user_id as user_id
from links
where links.recency = 1
