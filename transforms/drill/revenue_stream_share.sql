{# A stream's invoice lines, and those of all streams of the month. #}
{% set lines %}
    select * from {{ run }}.int_stream_lines
    where month = {{ param('month', 'date') }} and currency = {{ param('currency', 'text') }}
{% endset %}
select
    'numerator' as side, lines.org_id as org_id, 'billing' as stream, lines.source as event_source, lines.event_id as event_id,
    lines.at as at, lines.amount_minor as amount, 'line ' || lines.line_id || ' of invoice ' || lines.invoice_id as detail
from ({{ lines }}) as lines
where lines.stream = {{ param('stream', 'text') }}
union all
select
    'denominator' as side, lines.org_id as org_id, 'billing' as stream, lines.source as event_source, lines.event_id as event_id,
    lines.at as at, lines.amount_minor as amount, 'line ' || lines.line_id || ' of invoice ' || lines.invoice_id as detail
from ({{ lines }}) as lines
