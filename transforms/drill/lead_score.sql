{#
  A lead's score: the state of the lead and its company for base, fit and limit; every activity with what it is still worth;
  and, by feature, what capping and rounding to whole points made of their sum.
#}
{% import "portable.sql" as portable with context %}
with

parts as (
    select
        parts.feature as feature, parts.part as part, parts.value as value, parts.points as points, parts.event_source as event_source,
        parts.event_id as event_id, parts.known_at as known_at, scores.org_id as org_id
    from {{ run }}.lead_score_parts as parts
    inner join {{ run }}.lead_scores as scores on parts.lead_id = scores.lead_id
    where parts.lead_id = {{ param('lead_id', 'text') }}
),

activities as (
    select
        worth.feature as feature, worth.source as event_source, worth.event_id as event_id, worth.at as at, worth.kind as kind,
        -- exact: a decimal divided by an integer would be a float on DuckDB
        cast(worth.pico_points as decimal(20, 0)) * cast('0.000000000001' as decimal(13, 12)) as points
    from {{ run }}.int_lead_activities as worth
    where worth.lead_id = {{ param('lead_id', 'text') }}
)

select
    'value' as side, org_id, 'crm' as stream, event_source, event_id, known_at as at,
    cast(points as {{ portable.type_decimal() }}) as amount,
    part || ' ' || feature || coalesce(': ' || value, '') as detail
from parts
where part <> 'engagement'
union all
select
    'value' as side, parts.org_id as org_id, 'crm' as stream, activities.event_source as event_source,
    activities.event_id as event_id, activities.at as at, cast(activities.points as {{ portable.type_decimal() }}) as amount,
    'engagement ' || activities.feature || ': ' || activities.kind as detail
from activities
inner join parts on activities.feature = parts.feature and parts.part = 'engagement'
union all
select
    'value' as side, parts.org_id as org_id, 'crm' as stream, parts.event_source as event_source, parts.event_id as event_id,
    parts.known_at as at, cast(parts.points - sums.points as {{ portable.type_decimal() }}) as amount,
    'engagement ' || parts.feature || ': capped and rounded to whole points' as detail
from parts
inner join (select feature, sum(points) as points from activities group by feature) as sums on parts.feature = sums.feature
where parts.part = 'engagement'
