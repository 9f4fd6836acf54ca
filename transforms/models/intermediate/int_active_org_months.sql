-- Orgs that count as active at each month's close: paying, on trial, or with an execution in the 30 days before it.
with

paying as (
    select distinct months.month as month, items.org_id as org_id
    from {{ ref('int_mrr_items') }} as items
    cross join {{ ref('int_months') }} as months
    where (items.mrr_minor > 0 or items.is_trial)
        and items.valid_from < months.closes_at
        and (items.valid_to is null or items.valid_to >= months.closes_at)
),

trials as (
    select
        org_id,
        trial_id,
        min(case when event_type = 'trial.started' then trials.at end) as started_at,
        min(case when event_type = 'trial.ended' then trials.at end) as ended_at,
        max(case when event_type = 'trial.started' then ends_at end) as ends_at
    from {{ ref('stg_installs__trials') }} as trials
    group by org_id, trial_id
),

trying as (
    select distinct months.month as month, trials.org_id as org_id
    from trials
    cross join {{ ref('int_months') }} as months
    where trials.started_at < months.closes_at
        and (trials.ended_at is null or trials.ended_at >= months.closes_at)
        and (trials.ends_at is null or trials.ends_at >= months.closes_at)
),

last_executions as (
    select org_id, {{ month_start('day') }} as month, max(last_at) as last_at
    from {{ ref('fct_execution_days') }}
    group by org_id, {{ month_start('day') }}
),

-- the 30 days before a close reach into the month before; early on 1 March they reach January
executing as (
    {%- for months_back in range(0, 3) %}
    {% if not loop.first %}union distinct{% endif %}
    select months.month as month, last_executions.org_id as org_id
    from last_executions
    inner join {{ ref('int_months') }} as months on last_executions.month = {{ add_months('months.month', -months_back) }}
    where last_executions.last_at >= {{ add_seconds('months.closes_at', -2592000) }}
    {%- endfor %}
),

active as (
    select month, org_id from paying
    union distinct
    select month, org_id from trying
    union distinct
    select month, org_id from executing
)

select
    members.month as month,
    members.org_id as org_id,
    members.plan_id as plan_id,
    members.segment as segment,
    members.channel as channel,
    members.country as country
from active
inner join {{ ref('int_org_members') }} as members
    on active.month = members.month
    and active.org_id = members.org_id
