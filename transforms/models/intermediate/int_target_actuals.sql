-- What each metric that a target may name came to in each month, in the metric's unit. NULL currency: it has none.
-- A metric that has no mart yet has no row here.
with

-- the currency that the company as a whole is told in: the reporting one, or its only one
headline as (
    select
        case
            when max(case when currency like 'reporting:%' then 1 else 0 end) = 1
                then max(case when currency like 'reporting:%' then currency end)
            when count(distinct currency) = 1 then max(currency)
        end as currency
    from {{ ref('mrr_months') }}
    where dimension = 'all'
),

headline_code as (
    select
        headline.currency as currency,
        case when headline.currency like 'reporting:%' then substring(headline.currency, 11) else headline.currency end as code
    from headline
),

-- money that has no mart in the headline currency, brought there at the month's rate; without a rate the sum is unknown
foreign_money as (
    select 'revenue' as measure, stream as part, month, currency, amount_minor from {{ ref('revenue_streams') }}
    union all
    select 'margin_base' as measure, 'all' as part, month, currency, {{ int_sum('revenue_minor') }} as amount_minor
    from {{ ref('unit_economics_orgs') }}
    group by month, currency
    union all
    select 'margin' as measure, 'all' as part, month, currency, {{ int_sum('margin_minor') }} as amount_minor
    from {{ ref('unit_economics_orgs') }}
    group by month, currency
),

converted as (
    select
        money.measure as measure,
        money.part as part,
        money.month as month,
        headline_code.currency as currency,
        {{ int_sum('case
            when money.currency = headline_code.code then money.amount_minor
            else ' ~ div_round(
                wide('money.amount_minor') ~ ' * rates.num * ' ~ currency_unit('headline_code.code'),
                'rates.den * ' ~ currency_unit('money.currency')
            ) ~ '
        end') }} as amount_minor,
        max(case when money.currency <> headline_code.code and rates.num is null then 1 else 0 end) as lacks_rate
    from foreign_money as money
    inner join {{ ref('int_months') }} as months on money.month = months.month
    cross join headline_code
    left join {{ ref('int_fx_months') }} as rates
        on money.month = rates.month
        and money.currency = rates.base
        and headline_code.code = rates.quote
    where headline_code.code is not null
    group by money.measure, money.part, money.month, headline_code.currency
),

company_money as (
    select
        month,
        currency,
        measure,
        case when max(lacks_rate) = 0 then {{ int_sum('amount_minor') }} end as amount_minor
    from converted
    group by month, currency, measure
),

-- weeks belong to the month of their last day
month_weeks as (
    select weeks.*, {{ month_start(add_days('weeks.week', 6)) }} as month
    from {{ ref('package_weeks') }} as weeks
    where weeks.is_complete
),

lighthouse_weeks as (
    select
        month_weeks.month as month,
        month_weeks.week as week,
        cast(sum(case when month_weeks.executions > 0 then 1 else 0 end) as {{ type_bigint() }}) as active_packages,
        row_number() over (partition by month_weeks.month order by month_weeks.week desc) as recency
    from month_weeks
    inner join {{ ref('stg_catalog__packages') }} as packages on month_weeks.package_id = packages.package_id
    where packages.is_lighthouse and packages.version = (select version from {{ ref('stg_catalog__version_in_force') }})
    group by month_weeks.month, month_weeks.week
)

{{ member_actuals('mrr', 'mrr_months', 'close_minor') }}
union all {{ member_actuals('arr', 'mrr_months', 'arr_minor') }}
union all {{ member_actuals('mrr_growth', 'mrr_months', 'growth_ppm') }}
union all {{ member_actuals('logo_churn', 'mrr_months', 'logo_churn_ppm') }}
union all {{ member_actuals('arpa', 'mrr_months', 'arpa_minor') }}
union all {{ member_actuals('arr_per_customer', 'mrr_months', div_round('arr_minor', 'customers_close')) }}
union all {{ member_actuals('customers', 'mrr_months', 'customers_close') }}
union all {{ yearly_growth('arpa_growth', 'mrr_months', 'arpa_minor') }}
union all {{ yearly_growth('customer_growth', 'mrr_months', 'customers_close') }}
union all {{ member_actuals('nrr_t12', 'retention_months', 'nrr_ppm', condition='window_months = 12') }}
union all {{ member_actuals('grr_t12', 'retention_months', 'grr_ppm', condition='window_months = 12') }}
union all {{ member_actuals('attach_rate', 'attach_months', 'packages_per_org_ppm', currency=null_of(type_text())) }}
union all {{ member_actuals(
    'attach_rate_growth', 'attach_months',
    ppm('packages_per_org_change_ppm', '(packages_per_org_ppm - packages_per_org_change_ppm)'), currency=null_of(type_text())
) }}
union all
select 'item_attach' as metric, 'item' as dimension, item_id as member, {{ null_of(type_text()) }} as currency, month, attach_ppm as actual
from {{ ref('attach_packages') }}
union all
select
    case when summary.package_id = '(org)' then 'median_seconds_to_activation' else 'median_seconds_to_first_value' end as metric,
    case when summary.package_id in ('all', '(org)') then 'all' else 'package' end as dimension,
    case when summary.package_id = '(org)' then 'all' else summary.package_id end as member,
    {{ null_of(type_text()) }} as currency,
    months.month as month,
    summary.median_seconds as actual
from {{ ref('first_value_summary') }} as summary
inner join {{ ref('int_months') }} as months on summary.install_month = {{ month_text('months.month') }}
where summary.plan_id = 'all' and summary.channel = 'all'
union all
select 'activation' as metric, 'all' as dimension, 'all' as member, {{ null_of(type_text()) }} as currency,
    months.month as month, summary.reached_ppm as actual
from {{ ref('first_value_summary') }} as summary
inner join {{ ref('int_months') }} as months on summary.install_month = {{ month_text('months.month') }}
where summary.package_id = '(org)' and summary.plan_id = 'all' and summary.channel = 'all'
union all
select 'intervention_rate' as metric, 'all' as dimension, 'all' as member, {{ null_of(type_text()) }} as currency, month,
    {{ ppm('sum(interventions)', 'sum(completions_or_failures)') }} as actual
from month_weeks
group by month
union all
select 'intervention_rate' as metric, 'package' as dimension, package_id as member, {{ null_of(type_text()) }} as currency, month,
    {{ ppm('sum(interventions)', 'sum(completions_or_failures)') }} as actual
from month_weeks
group by month, package_id
union all
select 'lighthouse_packages_active' as metric, 'all' as dimension, 'all' as member, {{ null_of(type_text()) }} as currency, month,
    active_packages as actual
from lighthouse_weeks
where recency = 1
union all
select 'leads' as metric, 'all' as dimension, 'all' as member, {{ null_of(type_text()) }} as currency,
    {{ month_start('created_at') }} as month, cast(count(*) as {{ type_bigint() }}) as actual
from {{ ref('lead_scores') }}
where created_at is not null
group by {{ month_start('created_at') }}
union all
select 'revenue' as metric, 'all' as dimension, 'all' as member, currency, month, amount_minor as actual
from company_money
where measure = 'revenue'
union all
select 'revenue_share' as metric, 'item' as dimension, streams.part as member, streams.currency as currency, streams.month as month,
    {{ ppm('streams.amount_minor', 'totals.amount_minor') }} as actual
from converted as streams
inner join company_money as totals
    on streams.month = totals.month
    and streams.currency = totals.currency
    and totals.measure = 'revenue'
where streams.measure = 'revenue'
union all
select 'gross_margin' as metric, 'all' as dimension, 'all' as member, margins.currency as currency, margins.month as month,
    {{ ppm('margins.amount_minor', 'bases.amount_minor') }} as actual
from company_money as margins
inner join company_money as bases
    on margins.month = bases.month
    and margins.currency = bases.currency
    and bases.measure = 'margin_base'
where margins.measure = 'margin'
