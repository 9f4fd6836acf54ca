{# Overage that was invoiced for service that ended in a month. In the reporting currency a customer's sum is converted whole. #}
with
usage_rows as (
    select
        lines.*,
        row_number() over (partition by lines.org_id, lines.currency order by lines.at, lines.invoice_id, lines.line_id) as place
    from {{ run }}.int_stream_lines as lines
    where lines.stream = 'overage' and lines.month = {{ param('month', 'date') }}
)
select
    'value' as side, usage_rows.org_id as org_id, 'billing' as stream, usage_rows.source as event_source,
    usage_rows.event_id as event_id, usage_rows.at as at,
    case
        when usage_rows.currency = {{ param('currency', 'text') }} then usage_rows.amount_minor
        when usage_rows.place = 1 then told.amount_minor
        else 0
    end as amount,
    'line ' || usage_rows.line_id || ' of invoice ' || usage_rows.invoice_id as detail
from usage_rows
inner join {{ run }}.int_usage_revenue as told
    on usage_rows.org_id = told.org_id
    and usage_rows.month = told.month
    and usage_rows.currency = told.own_currency
where told.currency = {{ param('currency', 'text') }}
    and {{ param('member', 'text') }} = case {{ param('dimension', 'text') }}
        when 'all' then 'all'
        {%- for dimension in ['segment', 'plan', 'channel', 'partner', 'country', 'motion'] %}
        when '{{ dimension }}' then told.{{ dimension }}_member
        {%- endfor %}
    end
