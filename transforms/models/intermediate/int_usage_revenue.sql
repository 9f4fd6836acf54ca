-- Overage that was invoiced, in its own currency and, where the catalog names one, in the reporting currency.
with

overage as (
    select month, org_id, currency, {{ int_sum('amount_minor') }} as amount_minor
    from {{ ref('int_stream_lines') }}
    where stream = 'overage' and month in (select month from {{ ref('int_months') }})
    group by month, org_id, currency
),

rated as (
    select
        overage.month as month,
        overage.org_id as org_id,
        overage.currency as currency,
        overage.amount_minor as amount_minor,
        settings.reporting_currency as reporting_currency,
        {{ rate_side('rates', 'num', 'overage.amount_minor <> 0', 'overage.month', 'overage') }} as num,
        {{ rate_side('rates', 'den', 'false', 'overage.month', 'overage') }} as den
    from overage
    inner join {{ catalog_source('catalog_settings') }} as settings
        on settings.version = (select version from {{ ref('stg_catalog__version_in_force') }})
    left join {{ ref('int_fx_months') }} as rates
        on overage.month = rates.month and overage.currency = rates.base and settings.reporting_currency = rates.quote
    where settings.reporting_currency is not null
),

told as (
    select month, org_id, currency as own_currency, currency, amount_minor from overage
    union all
    select
        month, org_id, currency as own_currency, 'reporting:' || reporting_currency as currency,
        coalesce({{ div_round(wide('amount_minor') ~ ' * num', 'den') }}, 0) as amount_minor
    from rated
)

select
    {%- for column in ['month', 'org_id', 'own_currency', 'currency', 'amount_minor'] %}
    told.{{ column }} as {{ column }},
    {%- endfor %}
    {%- for dimension, column in member_dimensions() %}
    coalesce(members.{{ column }}, 'none') as {{ dimension }}_member{% if not loop.last %},{% endif %}
    {%- endfor %}
from told
left join {{ ref('int_org_members') }} as members on told.month = members.month and told.org_id = members.org_id
