{# Invoice lines of a stream, in the month in which their service ends. #}
select
    'value' as side,
    lines.org_id as org_id,
    'billing' as stream,
    lines.source as event_source,
    lines.event_id as event_id,
    lines.at as at,
    lines.amount_minor as amount,
    'line ' || lines.line_id || ' of invoice ' || lines.invoice_id as detail
from {{ run }}.int_stream_lines as lines
where lines.month = {{ param('month', 'date') }}
    and lines.stream = {{ param('stream', 'text') }}
    and lines.currency = {{ param('currency', 'text') }}
