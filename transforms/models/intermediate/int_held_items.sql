-- What each org held at each month's close: packages by open installs, add-ons by subscription, bundles by either.
with

-- closes are half-open: what happens at the closing instant belongs to the next month
open_installs as (
    select months.month as month, installs.org_id as org_id, installs.package_id as package_id, installs.bundle_id as bundle_id
    from {{ ref('int_installs') }} as installs
    cross join {{ ref('int_months') }} as months
    where
        installs.created_at < months.closes_at
        and (installs.ended_at is null or installs.ended_at >= months.closes_at)
),

subscribed as (
    select distinct
        months.month as month, items.org_id as org_id, items.item_kind as item_kind, items.product_id as item_id
    from {{ ref('int_mrr_items') }} as items
    cross join {{ ref('int_months') }} as months
    where
        items.item_kind in ('addon', 'bundle')
        and items.valid_from < months.closes_at
        and (items.valid_to is null or items.valid_to >= months.closes_at)
),

held as (
    select month, org_id, 'package' as item_kind, package_id as item_id, 1 as installs from open_installs
    union all
    select month, org_id, 'bundle' as item_kind, bundle_id as item_id, 0 as installs
    from open_installs
    where bundle_id is not null
    union all
    select month, org_id, item_kind, item_id, 0 as installs from subscribed
)

select
    month,
    org_id,
    item_kind,
    item_id,
    {{ int_sum('installs') }} as open_installs
from held
group by month, org_id, item_kind, item_id
