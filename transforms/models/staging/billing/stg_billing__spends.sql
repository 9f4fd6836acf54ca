-- What was spent on marketing, sales, support and infrastructure, for a half-open period.
select
    events.source as source,
    events.event_id as event_id,
    events.at as at,
    {{ json_text('events.data', 'spendId') }} as spend_id,
    {{ json_text('events.data', 'category') }} as category,
    {{ json_text('events.data', 'channel') }} as channel,
    {{ json_text('events.data', 'segment') }} as segment,
    {{ json_int('events.data', 'amountMinor') }} as amount_minor,
    {{ json_text('events.data', 'currency') }} as currency,
    {{ json_instant('events.data', 'periodStart') }} as period_start,
    {{ json_instant('events.data', 'periodEnd') }} as period_end
from {{ ref('fct_billing') }} as events
where events.type = 'spend.recorded'
