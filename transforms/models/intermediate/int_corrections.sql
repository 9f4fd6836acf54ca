-- Every correction that stands in the log, so that what is asked between runs knows which of them the facts have applied.
select
    stream,
    position,
    identity,
    type,
    subject,
    "at",
    source,
    event_id,
    target_identity,
    target_source,
    target_id,
    amended_data
from {{ ref('fct_corrections') }}
