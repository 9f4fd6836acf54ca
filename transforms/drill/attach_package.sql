{# Eligible orgs that hold the item, each on the first event that gave it to them (the others explain), and the eligible orgs. #}
{% import "portable.sql" as sql with context %}
{% import "drill_product.sql" as product with context %}
{% set month = param('month', 'date') %}
select
    'numerator' as side, holdings.org_id as org_id, holdings.stream as stream, holdings.source as event_source,
    holdings.event_id as event_id, holdings.at as at, case when holdings.place = 1 then 1 else 0 end as amount,
    holdings.detail as detail
from (
    select
        found.*,
        row_number() over (partition by found.org_id order by found.at, found.stream, found.source, found.event_id, found.detail) as place
    from (
        select
            installs.org_id as org_id, 'installs' as stream, installs.source as source, installs.event_id as event_id,
            installs.created_at as at, 'install of ' || installs.package_id as detail
        from ({{ product.open_installs(month, product.eligible_orgs(month)) }}) as installs
        where {{ param('item_id', 'text') }} = case {{ param('item_kind', 'text') }}
            when 'package' then installs.package_id when 'bundle' then installs.bundle_id end
        union all
        select
            items.org_id as org_id, 'billing' as stream, items.source as source, items.event_id as event_id,
            items.state_at as at, items.item_kind || ' on subscription ' || items.subscription_id as detail
        from {{ run }}.int_mrr_items as items
        cross join {{ run }}.int_months as months
        inner join ({{ product.eligible_orgs(month) }}) as eligible on items.org_id = eligible.org_id
        where months.month = {{ month }}
            and items.item_kind = {{ param('item_kind', 'text') }}
            and items.product_id = {{ param('item_id', 'text') }}
            and items.item_kind <> 'package'
            and items.valid_from < months.closes_at
            and (items.valid_to is null or items.valid_to >= months.closes_at)
    ) as found
) as holdings
union all
{{ product.org_rows('denominator', month, product.eligible_orgs(month)) }}
