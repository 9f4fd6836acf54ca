-- Published exchange rates: one unit of base costs `rate` units of quote on that date.
select
    events.source as source,
    events.event_id as event_id,
    events.at as at,
    {{ json_text('events.data', 'base') }} as base,
    {{ json_text('events.data', 'quote') }} as quote,
    {{ json_decimal('events.data', 'rate') }} as rate,
    {{ day_of(json_instant('events.data', 'date')) }} as rate_date
from {{ ref('fct_billing') }} as events
where events.type = 'fx.rate_published'
