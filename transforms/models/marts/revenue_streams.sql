-- Invoiced net amounts by stream, and each stream's share of its month.
with

sums as (
    select month, stream, currency, {{ int_sum('amount_minor') }} as amount_minor
    from {{ ref('int_stream_lines') }}
    group by month, stream, currency
),

shared as (
    select sums.*, sum(sums.amount_minor) over (partition by sums.month, sums.currency) as month_minor from sums
)

select
    month,
    stream,
    currency,
    amount_minor,
    cast(month_minor as {{ type_bigint() }}) as month_minor,
    {{ ppm('amount_minor', 'month_minor') }} as share_ppm,
    {{ boolean(start_of(add_months('month', 1)) ~ ' <= ' ~ as_of()) }} as is_complete
from shared
