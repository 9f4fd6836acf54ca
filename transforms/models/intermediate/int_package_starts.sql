-- When an org first had a package: installed, or as a subscription's item.
{{ config(materialized='ephemeral') }}
select starts.org_id as org_id, starts.package_id as package_id, min(starts.at) as first_at
from (
    select items.org_id as org_id, items.product_id as package_id, items.valid_from as at
    from {{ ref('int_mrr_items') }} as items
    where items.item_kind = 'package'
    union all
    select installs.org_id as org_id, installs.package_id as package_id, installs.at as at
    from {{ ref('stg_installs__installs') }} as installs
) as starts
group by starts.org_id, starts.package_id
