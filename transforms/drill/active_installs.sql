{# Open installs of active orgs. #}
{% import "portable.sql" as sql with context %}
{% import "drill_product.sql" as product with context %}
{% set month = param('month', 'date') %}
select
    'value' as side, installs.org_id as org_id, 'installs' as stream, installs.source as event_source,
    installs.event_id as event_id, installs.created_at as at, 1 as amount, 'install of ' || installs.package_id as detail
from ({{ product.open_installs(month, product.active_members(month)) }}) as installs
