{# One cause of one customer's movement: the instants at which it was at work, and the events behind each. #}
select
    'value' as side,
    causes.org_id as org_id,
    'billing' as stream,
    causes.source as event_source,
    causes.event_id as event_id,
    causes.instant as at,
    causes.amount_minor as amount,
    causes.cause || ' ' || causes.item_kind || ' ' || causes.product_id as detail
from {{ run }}.int_mrr_causes as causes
where causes.month = {{ param('month', 'date') }}
    and causes.org_id = {{ param('org_id', 'text') }}
    and causes.currency = {{ param('currency', 'text') }}
    and causes.cause = {{ param('cause', 'text') }}
