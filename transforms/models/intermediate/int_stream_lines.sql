-- Invoice lines by stream, in the month in which their service period ends (its last instant inside), else the invoice's.
select
    case
        when lines.period_end is null then {{ month_start('lines.at') }}
        -- ends are exclusive: one that falls on the first at midnight belongs to the month before
        when {{ start_of(month_start('lines.period_end')) }} = lines.period_end
            then {{ add_months(month_start('lines.period_end'), -1) }}
        else {{ month_start('lines.period_end') }}
    end as month,
    lines.org_id as org_id,
    lines.kind as stream,
    lines.currency as currency,
    lines.amount_minor as amount_minor,
    lines.invoice_id as invoice_id,
    lines.line_id as line_id,
    lines.source as source,
    lines.event_id as event_id,
    lines.at as at
from {{ ref('stg_billing__invoice_lines') }} as lines
inner join {{ ref('int_orgs') }} as orgs on lines.org_id = orgs.org_id and not orgs.is_excluded
