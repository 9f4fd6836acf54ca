-- What was spent on marketing, sales, support and infrastructure, for a half-open period.
select
    source,
    event_id,
    at,
    {{ json_text('data', 'spendId') }} as spend_id,
    {{ json_text('data', 'category') }} as category,
    {{ json_text('data', 'channel') }} as channel,
    {{ json_text('data', 'segment') }} as segment,
    {{ json_int('data', 'amountMinor') }} as amount_minor,
    {{ json_text('data', 'currency') }} as currency,
    {{ json_instant('data', 'periodStart') }} as period_start,
    {{ json_instant('data', 'periodEnd') }} as period_end
from {{ ref('fct_billing') }}
where type = 'spend.recorded'
