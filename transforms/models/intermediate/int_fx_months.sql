-- Month-end rates, each pair both ways: the last one dated in the 31 days up to the month's last day (or as_of's).
with

pairs as (
    select
        base, quote, rate_date, 0 as is_inverse, rates.at as at, source, event_id,
        {{ scaled_rate('rate') }} as num, {{ wide('1000000000000') }} as den
    from {{ ref('stg_billing__fx_rates') }} as rates
    union all
    select
        quote as base, base as quote, rate_date, 1 as is_inverse, rates.at as at, source, event_id,
        {{ wide('1000000000000') }} as num, {{ scaled_rate('rate') }} as den
    from {{ ref('stg_billing__fx_rates') }} as rates
),

-- an older rate is no month-end rate: whoever needs it is told the date
candidates as (
    select
        months.month as month,
        pairs.*,
        row_number() over (
            partition by months.month, pairs.base, pairs.quote
            order by pairs.rate_date desc, pairs.is_inverse, pairs.at desc, pairs.source desc, pairs.event_id desc
        ) as place
    from pairs
    cross join {{ ref('int_months') }} as months
    where {{ start_of('pairs.rate_date') }} < months.closes_at
        and {{ start_of('pairs.rate_date') }} >= {{ add_seconds('months.closes_at', -32 * 86400) }}
)

select month, base, quote, num, den, rate_date, source, event_id
from candidates
where place = 1
