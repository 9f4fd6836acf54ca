-- The (day, subject) keys whose facts may differ from the kept ones; in a full build nobody asks.
{%- set kept = kept_state() %}
-- depends_on: {{ ref('fct_identities') }}
-- depends_on: {{ ref('fct_corrections') }}
{% if kept is none %}
select stream, day, subject from {{ ref('fct_identities') }} where 1 = 0
{% else %}
with

identities as (select stream, identity, position, day, subject from {{ ref('fct_identities') }}),

corrections as (select * from {{ ref('fct_corrections') }}),

-- corrections that are new, or that were not yet in time when the kept facts were built
awake_0 as (
    select stream, target_identity from corrections
    where corrections.at >= {{ ts_literal(kept.as_of) }} or {{ stale_positions(kept, none) }}
),

-- a correction may aim at a correction: follow it as deep as voids are unrolled
{% for level in range(1, 8) %}
awake_{{ level }} as (
    select corrections.stream, corrections.target_identity
    from corrections
    inner join awake_{{ level - 1 }} as above
        on corrections.stream = above.stream and corrections.identity = above.target_identity
),
{% endfor %}

targets as (
    {% for level in range(0, 8) %}
    select stream, target_identity from awake_{{ level }}{% if not loop.last %} union all{% endif %}
    {% endfor %}
)

-- new arrivals, and days that the kept facts' as_of cut short
select distinct stream, day, subject from identities
where day >= {{ date_literal(kept.as_of[:10]) }} or {{ stale_positions(kept, none) }}
union distinct
select distinct identities.stream, identities.day, identities.subject
from identities
inner join targets
    on identities.stream = targets.stream
    and identities.identity = {{ uuid_of('targets.target_identity') }}
{% endif %}
