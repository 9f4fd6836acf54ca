-- Which org a visitor turned out to be. A visitor linked more than once belongs to the org of its last link.
with

links as (
    select
        source,
        event_id,
        at,
        {{ json_text('data', 'visitorId') }} as visitor_id,
        {{ json_text('data', 'orgId') }} as org_id,
        {{ json_text('data', 'userId') }} as user_id,
        row_number() over (
            partition by {{ json_text('data', 'visitorId') }} order by at desc, source desc, event_id desc
        ) as recency
    from {{ ref('fct_installs') }}
    where type = 'identity.linked'
)

select
    source,
    event_id,
    at,
    visitor_id,
    org_id,
    user_id
from links
where recency = 1
