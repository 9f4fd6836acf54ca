-- Each customer's month in every currency it is told in: its own and, where the catalog names one, the reporting currency.
with

settings as (
    select reporting_currency from {{ catalog_source('catalog_settings') }}
    where version = (select version from {{ ref('stg_catalog__version_in_force') }}) and reporting_currency is not null
),

moved as (
    select
        month,
        org_id,
        currency,
        {%- for movement in movement_kinds() %}
        {{ int_sum("case when movement = '" ~ movement ~ "' then amount_minor else 0 end") }} as {{ movement }}_minor{% if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ ref('mrr_movements') }}
    group by month, org_id, currency
),

own as (
    select
        ends.month as month,
        ends.org_id as org_id,
        ends.currency as currency,
        ends.open_minor as open_minor,
        ends.close_minor as close_minor,
        ends.ever_paid_before as ever_paid_before,
        {%- for movement in movement_kinds() %}
        coalesce(moved.{{ movement }}_minor, 0) as {{ movement }}_minor{% if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ ref('mrr_customer_months') }} as ends
    left join moved on ends.month = moved.month and ends.org_id = moved.org_id and ends.currency = moved.currency
),

-- a month opens at the rate of the month before, and everything else is told at its own month-end rate
rated as (
    select
        {%- for column in ['month', 'org_id', 'currency', 'open_minor', 'close_minor', 'ever_paid_before'] %}
        own.{{ column }} as {{ column }},
        {%- endfor %}
        {%- for movement in movement_kinds() %}
        own.{{ movement }}_minor as {{ movement }}_minor,
        {%- endfor %}
        settings.reporting_currency as reporting_currency,
        {{ rate_side('now_rate', 'num', 'own.close_minor <> 0 or own.open_minor <> 0', 'own.month') }} as now_num,
        {{ rate_side('now_rate', 'den', 'false', 'own.month') }} as now_den,
        {{ rate_side('open_rate', 'num', 'own.open_minor <> 0', add_months('own.month', -1)) }} as open_num,
        {{ rate_side('open_rate', 'den', 'false', 'own.month') }} as open_den
    from own
    cross join settings
    left join {{ ref('int_fx_months') }} as now_rate
        on own.month = now_rate.month and own.currency = now_rate.base and settings.reporting_currency = now_rate.quote
    left join {{ ref('int_fx_months') }} as open_rate
        on {{ add_months('own.month', -1) }} = open_rate.month and own.currency = open_rate.base and settings.reporting_currency = open_rate.quote
),

converted as (
    select
        month,
        org_id,
        reporting_currency,
        ever_paid_before,
        coalesce({{ div_round(wide('open_minor') ~ ' * open_num', 'open_den') }}, 0) as open_minor,
        coalesce({{ div_round(wide('close_minor') ~ ' * now_num', 'now_den') }}, 0) as close_minor,
        {%- for movement in movement_kinds() %}
        coalesce({{ div_round(wide(movement ~ '_minor') ~ ' * now_num', 'now_den') }}, 0) as {{ movement }}_minor{% if not loop.last %},{% endif %}
        {%- endfor %}
    from rated
),

reported as (
    select
        month,
        org_id,
        'reporting:' || reporting_currency as currency,
        {{ int_sum('open_minor') }} as open_minor,
        {{ int_sum('close_minor') }} as close_minor,
        max(case when ever_paid_before then 1 else 0 end) = 1 as ever_paid_before,
        {%- for movement in movement_kinds() %}
        {{ int_sum(movement ~ '_minor') }} as {{ movement }}_minor{% if not loop.last %},{% endif %}
        {%- endfor %}
    from converted
    group by month, org_id, 'reporting:' || reporting_currency
),

all_currencies as (
    select * from own
    union all
    select month, org_id, currency, open_minor, close_minor, ever_paid_before, {% for movement in movement_kinds() %}{{ movement }}_minor{% if not loop.last %}, {% endif %}{% endfor %}
    from reported
)

select
    {%- for column in ['month', 'org_id', 'currency', 'open_minor', 'close_minor', 'ever_paid_before'] %}
    all_currencies.{{ column }} as {{ column }},
    {%- endfor %}
    {%- for movement in movement_kinds() %}
    all_currencies.{{ movement }}_minor as {{ movement }}_minor,
    {%- endfor %}
    -- what only the rate changed
    all_currencies.close_minor - all_currencies.open_minor
        {%- for movement in movement_kinds() %} - all_currencies.{{ movement }}_minor{% endfor %} as fx_minor,
    {%- for dimension, column in member_dimensions() %}
    coalesce(here.{{ column }}, 'none') as {{ dimension }}_member,
    coalesce(before.{{ column }}, here.{{ column }}, 'none') as {{ dimension }}_member_before{% if not loop.last %},{% endif %}
    {%- endfor %}
from all_currencies
left join {{ ref('int_org_members') }} as here
    on all_currencies.month = here.month and all_currencies.org_id = here.org_id
left join {{ ref('int_org_members') }} as before
    on {{ add_months('all_currencies.month', -1) }} = before.month and all_currencies.org_id = before.org_id
