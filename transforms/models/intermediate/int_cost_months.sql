-- What executions cost, per month, org and package, in the currency that the org is billed in. An org that brings its own key
-- causes no model cost.
with

reported as (
    select
        {{ month_start('days.day') }} as month,
        days.org_id as org_id,
        days.package_id as package_id,
        days.currency as reported_currency,
        {{ int_sum('days.completed + days.failed + days.canceled') }} as executions,
        {{ int_sum('case when days.byo_key then 0 else days.cost_micros end') }} as cost_micros
    from {{ ref('fct_execution_days') }} as days
    inner join {{ ref('int_orgs') }} as orgs on days.org_id = orgs.org_id and not orgs.is_excluded
    group by {{ month_start('days.day') }}, days.org_id, days.package_id, days.currency
),

-- an execution that cost nothing may name no currency: it stands with the org's others
spent as (
    select
        reported.*,
        coalesce(reported.reported_currency, min(reported.reported_currency) over (partition by reported.month, reported.org_id)) as cost_currency
    from reported
    where reported.executions <> 0 or reported.cost_micros <> 0
),

-- currencies of the org's revenue in the month; with several, what costs come in stays if it is one of them
billed as (
    select month, org_id, currency, min(currency) over (partition by month, org_id) as main_currency
    from (select distinct month, org_id, currency from {{ ref('int_revenue_months') }}) as currencies
),

mains as (
    select distinct month, org_id, main_currency from billed
),

placed as (
    select
        spent.month as month,
        spent.org_id as org_id,
        spent.package_id as package_id,
        spent.reported_currency as reported_currency,
        spent.executions as executions,
        spent.cost_micros as cost_micros,
        coalesce(spent.cost_currency, settings.reporting_currency, mains.main_currency, 'none') as cost_currency,
        coalesce(same.currency, mains.main_currency, spent.cost_currency, settings.reporting_currency, 'none') as currency
    from spent
    left join mains on spent.month = mains.month and spent.org_id = mains.org_id
    left join billed as same
        on spent.month = same.month
        and spent.org_id = same.org_id
        and spent.cost_currency = same.currency
    left join {{ ref('stg_catalog__settings') }} as settings on settings.version = (select version from {{ ref('stg_catalog__version_in_force') }})
)

select
    placed.month as month,
    placed.org_id as org_id,
    placed.package_id as package_id,
    placed.currency as currency,
    placed.reported_currency as reported_currency,
    placed.executions as executions,
    placed.cost_micros as reported_micros,
    case
        when placed.cost_currency = placed.currency or placed.cost_micros = 0 then placed.cost_micros
        when rates.num is null then {{ refuse(
            "'no exchange rate from ' || placed.cost_currency || ' to ' || placed.currency || ' on ' || "
            ~ 'cast(least(' ~ add_days(add_months('placed.month', 1), -1) ~ ', ' ~ day_of(add_seconds(as_of(), -1)) ~ ') as ' ~ type_text() ~ ')' ~ " || ': record fx.rate_published'"
        ) }}
        else {{ div_round('placed.cost_micros * rates.num', 'rates.den') }}
    end as cost_micros
from placed
left join {{ ref('int_fx_months') }} as rates
    on placed.month = rates.month
    and placed.cost_currency = rates.base
    and placed.currency = rates.quote
