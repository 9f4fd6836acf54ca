-- The MRR bridge of each month: open + new + reactivation + expansion − contraction − churn + currency_change + transfer
-- + fx = close; for all, and for one dimension at a time.
with

org_months as (
    select * from {{ ref('int_mrr_org_months') }}
),

-- overage beside MRR, in the month in which the line's service ended
overage as (
    select month, org_id, currency, amount_minor as usage_minor from {{ ref('int_usage_revenue') }}
),

-- paid for some time inside the month and at neither end
brief as (
    select distinct months.month as month, items.org_id as org_id, items.currency as currency
    from {{ ref('int_mrr_items') }} as items
    cross join {{ ref('int_months') }} as months
    where items.mrr_minor > 0 and items.valid_from >= months.starts_at and items.valid_from < months.closes_at
),

reporting as (
    select distinct 'reporting:' || reporting_currency as currency from {{ catalog_source('catalog_settings') }}
    where version = (select version from {{ ref('stg_catalog__version_in_force') }}) and reporting_currency is not null
),

currencies as (
    select distinct currency, false as is_reporting from {{ ref('mrr_customer_months') }}
    union all
    select currency, true as is_reporting from reporting
),

-- customers are counted where they cannot be counted twice
counting as (
    select
        currency,
        is_reporting or (select count(distinct currency) from {{ ref('mrr_customer_months') }}) = 1 as counts_customers
    from currencies
),

brief_orgs as (
    select brief.month as month, brief.org_id as org_id, brief.currency as currency from brief
    union distinct
    select brief.month as month, brief.org_id as org_id, reporting.currency as currency from brief cross join reporting
),

started_and_ended as (
    select brief_orgs.month as month, brief_orgs.org_id as org_id, brief_orgs.currency as currency
    from brief_orgs
    left join org_months
        on brief_orgs.month = org_months.month
        and brief_orgs.org_id = org_months.org_id
        and brief_orgs.currency = org_months.currency
    where org_months.org_id is null
),

-- one row per org and what it brings: at the member where it stands now, and what it opened with at the one before
contributions as (
    {%- for dimension, column in [['all', none]] + member_dimensions() %}
    {%- set member = "'all'" if dimension == 'all' else dimension ~ '_member' %}
    {%- set member_before = "'all'" if dimension == 'all' else dimension ~ '_member_before' %}
    {% if not loop.first %}union all{% endif %}
    select
        month, currency, '{{ dimension }}' as dimension, {{ member }} as member,
        0 as open_minor, close_minor, fx_minor,
        {% for movement in movement_kinds() %}{{ movement }}_minor, {% endfor %}
        case when {{ member }} <> {{ member_before }} then open_minor else 0 end as transfer_minor,
        0 as usage_minor,
        0 as was_customer,
        {{ bool_to_int('open_minor = 0 and close_minor > 0 and not ever_paid_before') }} as came,
        {{ bool_to_int('open_minor = 0 and close_minor > 0 and ever_paid_before') }} as returned,
        {{ bool_to_int('open_minor > 0 and close_minor = 0') }} as leaving,
        {{ bool_to_int('close_minor > 0') }} as is_customer,
        0 as was_brief
    from org_months
    union all
    select
        month, currency, '{{ dimension }}' as dimension, {{ member_before }} as member,
        open_minor, 0 as close_minor, 0 as fx_minor,
        {% for movement in movement_kinds() %}0 as {{ movement }}_minor, {% endfor %}
        case when {{ member }} <> {{ member_before }} then -open_minor else 0 end as transfer_minor,
        0 as usage_minor,
        {{ bool_to_int('open_minor > 0') }} as was_customer,
        0 as came, 0 as returned, 0 as leaving, 0 as is_customer, 0 as was_brief
    from org_months
    where open_minor > 0
    union all
    select
        extras.month as month, extras.currency as currency, '{{ dimension }}' as dimension,
        {{ "'all'" if dimension == 'all' else "coalesce(members." ~ column ~ ", 'none')" }} as member,
        0 as open_minor, 0 as close_minor, 0 as fx_minor,
        {% for movement in movement_kinds() %}0 as {{ movement }}_minor, {% endfor %}
        0 as transfer_minor, extras.usage_minor as usage_minor,
        0 as was_customer, 0 as came, 0 as returned, 0 as leaving, 0 as is_customer, extras.was_brief as was_brief
    from (
        select month, org_id, currency, usage_minor, 0 as was_brief from overage
        union all
        select month, org_id, currency, 0 as usage_minor, 1 as was_brief from started_and_ended
    ) as extras
    left join {{ ref('int_org_members') }} as members on extras.month = members.month and extras.org_id = members.org_id
    {%- endfor %}
    union all
    -- every month has its row of totals, whatever happened in it
    select
        months.month as month, currencies.currency as currency, 'all' as dimension, 'all' as member,
        0 as open_minor, 0 as close_minor, 0 as fx_minor,
        {% for movement in movement_kinds() %}0 as {{ movement }}_minor, {% endfor %}
        0 as transfer_minor, 0 as usage_minor,
        0 as was_customer, 0 as came, 0 as returned, 0 as leaving, 0 as is_customer, 0 as was_brief
    from {{ ref('int_months') }} as months
    cross join currencies
),

sums as (
    select
        month,
        currency,
        dimension,
        member,
        {{ int_sum('open_minor') }} as open_minor,
        {{ int_sum('new_minor') }} as new_minor,
        {{ int_sum('reactivation_minor') }} as reactivation_minor,
        {{ int_sum('expansion_minor') }} as expansion_minor,
        {{ int_sum('-contraction_minor') }} as contraction_minor,
        {{ int_sum('-churn_minor') }} as churn_minor,
        {{ int_sum('currency_change_minor') }} as currency_change_minor,
        {{ int_sum('transfer_minor') }} as transfer_minor,
        {{ int_sum('fx_minor') }} as fx_minor,
        {{ int_sum('close_minor') }} as close_minor,
        {{ int_sum('usage_minor') }} as usage_minor,
        {{ int_sum('was_customer') }} as was_customers,
        {{ int_sum('came') }} as came,
        {{ int_sum('returned') }} as returned,
        {{ int_sum('leaving') }} as leaving,
        {{ int_sum('is_customer') }} as are_customers,
        {{ int_sum('was_brief') }} as started_and_ended
    from contributions
    group by month, currency, dimension, member
)

select
    sums.month as month,
    sums.currency as currency,
    sums.dimension as dimension,
    sums.member as member,
    sums.open_minor as open_minor,
    sums.new_minor as new_minor,
    sums.reactivation_minor as reactivation_minor,
    sums.expansion_minor as expansion_minor,
    sums.contraction_minor as contraction_minor,
    sums.churn_minor as churn_minor,
    sums.currency_change_minor as currency_change_minor,
    sums.transfer_minor as transfer_minor,
    sums.fx_minor as fx_minor,
    sums.close_minor as close_minor,
    12 * sums.close_minor as arr_minor,
    sums.usage_minor as usage_minor,
    {{ ppm('sums.close_minor - sums.open_minor', 'sums.open_minor') }} as growth_ppm,
    case when counting.counts_customers then sums.was_customers end as customers_open,
    case when counting.counts_customers then sums.came end as customers_new,
    case when counting.counts_customers then sums.returned end as customers_reactivated,
    case when counting.counts_customers then sums.leaving end as customers_churned,
    case when counting.counts_customers then sums.are_customers end as customers_close,
    sums.started_and_ended as started_and_ended,
    {{ ppm('sums.new_minor + sums.reactivation_minor + sums.expansion_minor', 'sums.contraction_minor + sums.churn_minor') }} as quick_ratio_ppm,
    case when counting.counts_customers then {{ ppm('sums.leaving', 'sums.was_customers') }} end as logo_churn_ppm,
    case when counting.counts_customers then {{ div_round('sums.close_minor', 'sums.are_customers') }} end as arpa_minor,
    months.is_complete as is_complete
from sums
inner join counting on sums.currency = counting.currency
inner join {{ ref('int_months') }} as months on sums.month = months.month
