-- Identities that the numbers of a run must keep. Each is told from two sides that come from different models; where they
-- differ, the run is not published (tests/tie_outs_hold.sql). Counts of rows stand in `_minor` columns too: the unit is the check's.
with

-- MRR: open plus movements is close, a month opens where the last one closed, customers and members sum to the total
mrr_bridge as (
    select
        'mrr_bridge' as check_name,
        {{ scope(['month', 'currency', 'dimension', 'member']) }} as scope,
        open_minor + new_minor + reactivation_minor + expansion_minor - contraction_minor - churn_minor
        + currency_change_minor + transfer_minor + fx_minor as left_minor,
        close_minor as right_minor
    from {{ ref('mrr_months') }}
),

mrr_carried_over as (
    select 'mrr_open_is_last_close' as check_name, {{ scope(['month', 'currency']) }} as scope, open_minor as left_minor, 0 as right_minor
    from {{ ref('mrr_months') }}
    where dimension = 'all'
    union all
    select
        'mrr_open_is_last_close' as check_name, {{ scope([add_months('month', 1), 'currency']) }} as scope,
        0 as left_minor, close_minor as right_minor
    from {{ ref('mrr_months') }}
    where dimension = 'all' and month < (select max(month) from {{ ref('int_months') }})
),

mrr_of_customers as (
    select 'customers_sum_to_mrr' as check_name, {{ scope(['month', 'currency']) }} as scope, close_minor as left_minor, 0 as right_minor
    from {{ ref('mrr_customer_months') }}
    union all
    select 'customers_sum_to_mrr' as check_name, {{ scope(['month', 'currency']) }} as scope, 0 as left_minor, close_minor as right_minor
    from {{ ref('mrr_months') }}
    where dimension = 'all' and currency not like 'reporting:%'
),

mrr_of_members as (
    select
        'members_sum_to_mrr' as check_name, {{ scope(['month', 'currency', 'dimension']) }} as scope,
        close_minor as left_minor, 0 as right_minor
    from {{ ref('mrr_months') }}
    where dimension <> 'all'
    union all
    select
        'members_sum_to_mrr' as check_name, {{ scope(['totals.month', 'totals.currency', 'dimensions.dimension']) }} as scope,
        0 as left_minor, totals.close_minor as right_minor
    from {{ ref('mrr_months') }} as totals
    cross join (select distinct dimension from {{ ref('mrr_months') }} where dimension <> 'all') as dimensions
    where totals.dimension = 'all'
),

transfers as (
    select
        'transfers_sum_to_zero' as check_name, {{ scope(['month', 'currency', 'dimension']) }} as scope,
        transfer_minor as left_minor, 0 as right_minor
    from {{ ref('mrr_months') }}
),

customer_counts as (
    select
        'customers_sum_to_count' as check_name, {{ scope(['month', 'currency', 'dimension']) }} as scope,
        customers_close as left_minor, customers_open + customers_new + customers_reactivated - customers_churned as right_minor
    from {{ ref('mrr_months') }}
    where dimension = 'all' and customers_close is not null
),

-- every net movement of a customer is explained to the cent by its causes
nets as (
    select month, org_id, currency, close_minor - open_minor as net_minor, 0 as caused_minor from {{ ref('mrr_customer_months') }}
    union all
    select month, org_id, currency, 0 as net_minor, amount_minor as caused_minor from {{ ref('mrr_movements') }}
),

movement_causes as (
    select
        'causes_explain_movements' as check_name, {{ scope(['month', 'currency']) }} as scope,
        count(*) as left_minor, sum(is_explained) as right_minor
    from (
        select month, org_id, currency, case when sum(net_minor) = sum(caused_minor) then 1 else 0 end as is_explained
        from nets
        group by month, org_id, currency
    ) as explained
    group by month, currency
),

-- retention: what it starts from is what closed then
retention_bases as (
    select
        'retention_base_is_past_close' as check_name,
        {{ scope(['retention.month', 'retention.currency', 'cast(retention.window_months as ' ~ type_text() ~ ')']) }} as scope,
        retention.base_minor as left_minor, totals.close_minor as right_minor
    from {{ ref('retention_months') }} as retention
    left join {{ ref('mrr_months') }} as totals
        on retention.currency = totals.currency
        and totals.dimension = 'all'
        and cast({{ month_number('totals.month') }} as {{ type_bigint() }})
        = cast({{ month_number('retention.month') }} as {{ type_bigint() }}) - retention.window_months
    where retention.dimension = 'all' and retention.currency not like 'reporting:%'
),

-- revenue: streams sum to what was invoiced
streams as (
    select 'streams_sum_to_invoiced' as check_name, currency as scope, amount_minor as left_minor, 0 as right_minor
    from {{ ref('revenue_streams') }}
    union all
    select 'streams_sum_to_invoiced' as check_name, lines.currency as scope, 0 as left_minor, lines.amount_minor as right_minor
    from {{ ref('stg_billing__invoice_lines') }} as lines
    inner join {{ ref('int_orgs') }} as orgs on lines.org_id = orgs.org_id and not orgs.is_excluded
),

-- installs: opened minus ended is what the last week shows; the month's close counts the same installs
installs as (
    select
        'installs_opened_less_ended' as check_name, package_id as scope,
        case when ended_at is null then 1 else 0 end as left_minor, 0 as right_minor
    from {{ ref('int_installs') }}
    union all
    select 'installs_opened_less_ended' as check_name, weeks.package_id as scope, 0 as left_minor, weeks.active_installs as right_minor
    from {{ ref('package_weeks') }} as weeks
    inner join (
        select package_id, max(week) as last_week from {{ ref('package_weeks') }} group by package_id
    ) as last_weeks on weeks.package_id = last_weeks.package_id and weeks.week = last_weeks.last_week
),

attach_members as (
    select
        'members_sum_to_active_orgs' as check_name, {{ scope(['month', 'dimension']) }} as scope,
        active_orgs as left_minor, 0 as right_minor
    from {{ ref('attach_months') }}
    where dimension <> 'all'
    union all
    select
        'members_sum_to_active_orgs' as check_name, {{ scope(['totals.month', 'dimensions.dimension']) }} as scope,
        0 as left_minor, totals.active_orgs as right_minor
    from {{ ref('attach_months') }} as totals
    cross join (select distinct dimension from {{ ref('attach_months') }} where dimension <> 'all') as dimensions
    where totals.dimension = 'all'
),

first_values as (
    select 'packages_sum_to_installs' as check_name, 'first_value_summary' as scope, installs as left_minor, 0 as right_minor
    from {{ ref('first_value_summary') }}
    where package_id not in ('all', '(org)') and plan_id = 'all' and channel = 'all' and install_month = 'all'
    union all
    select 'packages_sum_to_installs' as check_name, 'first_value_summary' as scope, 0 as left_minor, installs as right_minor
    from {{ ref('first_value_summary') }}
    where package_id = 'all' and plan_id = 'all' and channel = 'all' and install_month = 'all'
),

-- executions: whole days hold every event that starts or ends one
executions as (
    select
        'execution_days_hold_every_event' as check_name, {{ month_text('day') }} as scope,
        started + completed + failed + canceled as left_minor, 0 as right_minor
    from {{ ref('fct_execution_days') }}
    union all
    select
        'execution_days_hold_every_event' as check_name, {{ month_text('day') }} as scope, 0 as left_minor, count(*) as right_minor
    from {{ ref('fct_executions') }}
    where type in ('execution.started', 'execution.completed', 'execution.failed', 'execution.canceled')
    group by {{ month_text('day') }}
),

-- one page per org adds up to the company
org_pages as (
    select 'org_months_sum_to_mrr' as check_name, {{ scope(['month', 'currency']) }} as scope, mrr_minor as left_minor, 0 as right_minor
    from {{ ref('org_months') }}
    where currency <> 'none'
    union all
    select 'org_months_sum_to_mrr' as check_name, {{ scope(['month', 'currency']) }} as scope, 0 as left_minor, close_minor as right_minor
    from {{ ref('mrr_months') }}
    where dimension = 'all' and currency not like 'reporting:%'
),

-- leads: the parts of each add up to its score
lead_sums as (
    select lead_id, score as score_points, 0 as part_points from {{ ref('lead_scores') }}
    union all
    select lead_id, 0 as score_points, points as part_points from {{ ref('lead_score_parts') }}
),

lead_parts as (
    select
        'lead_parts_sum_to_score' as check_name, 'all leads' as scope,
        count(*) as left_minor, coalesce(sum(is_sum), 0) as right_minor
    from (
        select lead_id, case when sum(score_points) = sum(part_points) then 1 else 0 end as is_sum
        from lead_sums
        group by lead_id
    ) as summed
),

-- commissions: their base is the cash that was kept, and what all went back earns nothing
last_cash as (
    select invoice_id, line_id, currency, kept_minor
    from (
        select
            cash.*,
            row_number() over (partition by cash.invoice_id, cash.line_id order by cash.step desc) as recency
        from {{ ref('int_invoice_cash') }} as cash
    ) as latest
    where recency = 1
),

-- lines of which every payment is credited to somebody
credited as (
    select invoice_id, line_id
    from (
        select paid.invoice_id as invoice_id, paid.line_id as line_id, case when rates.payment_id is null then 0 else 1 end as is_credited
        from {{ ref('int_invoice_cash') }} as paid
        left join {{ ref('int_commission_rates') }} as rates
            on paid.invoice_id = rates.invoice_id
            and paid.line_id = rates.line_id
            and paid.cash_id = rates.payment_id
        where paid.cash_kind = 'payment'
    ) as payments
    group by invoice_id, line_id
    having min(is_credited) = 1
),

commission_sums as (
    select
        invoice_id, invoice_line_id as line_id, currency,
        sum(base_minor) as base_minor, sum(amount_minor) as amount_minor
    from {{ ref('commission_lines') }}
    group by invoice_id, invoice_line_id, currency
),

commission_closes as (
    select
        'commission_base_is_cash_kept' as check_name, last_cash.currency as scope,
        1 as left_minor, case when commission_sums.base_minor = last_cash.kept_minor then 1 else 0 end as right_minor
    from last_cash
    inner join credited on last_cash.invoice_id = credited.invoice_id and last_cash.line_id = credited.line_id
    inner join commission_sums on last_cash.invoice_id = commission_sums.invoice_id and last_cash.line_id = commission_sums.line_id
    union all
    select
        'returned_cash_earns_nothing' as check_name, last_cash.currency as scope,
        1 as left_minor, case when commission_sums.amount_minor = 0 then 1 else 0 end as right_minor
    from last_cash
    inner join commission_sums on last_cash.invoice_id = commission_sums.invoice_id and last_cash.line_id = commission_sums.line_id
    where last_cash.kept_minor = 0
),

sides as (
{%- for check in [
    'mrr_bridge', 'mrr_carried_over', 'mrr_of_customers', 'mrr_of_members', 'transfers', 'customer_counts', 'movement_causes',
    'retention_bases', 'streams', 'installs', 'attach_members', 'first_values', 'executions', 'org_pages', 'lead_parts', 'commission_closes'
] %}
    select check_name, scope, {{ wide('left_minor') }} as left_minor, {{ wide('right_minor') }} as right_minor from {{ check }}
    {%- if not loop.last %}
    union all
    {%- endif %}
{%- endfor %}
),

sums as (
    select check_name, scope, {{ int_sum('left_minor') }} as left_minor, {{ int_sum('right_minor') }} as right_minor
    from sides
    group by check_name, scope
)

select
    check_name as "check",
    scope,
    left_minor,
    right_minor,
    left_minor - right_minor as difference_minor,
    cast(left_minor = right_minor as {{ type_boolean() }}) as holds
from sums
