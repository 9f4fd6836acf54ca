-- Whole days of executions per org, package, currency and key ownership: what most marts need of them.
{{ config(materialized='kept', stale='stale_execution_keys', stream='executions', partition_by='toYYYYMM(day)', order_by=['day', 'org_id']) }}
select
    day,
    org_id,
    package_id,
    currency,
    coalesce(byo_key, false) as byo_key,
    {{ int_sum("case when type = 'execution.started' then 1 else 0 end") }} as started,
    {{ int_sum("case when type = 'execution.completed' then 1 else 0 end") }} as completed,
    {{ int_sum("case when type = 'execution.failed' then 1 else 0 end") }} as failed,
    {{ int_sum("case when type = 'execution.canceled' then 1 else 0 end") }} as canceled,
    {{ int_sum("case when type in ('execution.completed', 'execution.failed') and human_intervention then 1 else 0 end") }} as interventions,
    {{ int_sum('coalesce(cost_micros, 0)') }} as cost_micros,
    cast(coalesce(sum(saved_minutes), 0) as {{ type_decimal() }}) as saved_minutes,
    min(executions.at) as first_at,
    max(executions.at) as last_at
from {{ ref('fct_executions') }} as executions
where type <> 'usage.recorded'
{%- if kept_state() is not none %}
    and (day, org_id) in (select day, subject from {{ facts_table('dirty_keys') }} where stream = 'executions')
{%- endif %}
group by day, org_id, package_id, currency, coalesce(byo_key, false)
