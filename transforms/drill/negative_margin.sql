{# Orgs that cost more than they brought in: each brings 1 on the first of its executions and invoices; the others explain. #}
{% import "portable.sql" as sql with context %}
{% from "portable.sql" import div_round with context %}
{% import "currency.sql" as money with context %}
{% import "drill_unit_economics.sql" as economics with context %}
select
    'value' as side, causes.org_id as org_id, causes.stream as stream, causes.event_source as event_source,
    causes.event_id as event_id, causes.at as at,
    case when row_number() over (
        partition by causes.org_id order by causes.at, causes.stream, causes.event_source, causes.event_id, causes.detail
    ) = 1 then 1 else 0 end as amount,
    causes.detail as detail
from (
    {{ economics.margin_cost_rows('value', 'org_id', '1 = 1') }}
    union all
    {{ economics.revenue_rows('value', '1 = 1') }}
) as causes
inner join {{ run }}.unit_economics_orgs as margins on causes.org_id = margins.org_id
where margins.month = {{ param('month', 'date') }}
    and margins.currency = {{ param('currency', 'text') }}
    and margins.is_negative
