-- Which share of the active orgs that could have an item has it, at each month's close.
with

-- orgs that count (paying, on trial, or with an execution in the last 30 days), with plan and segment at the close
active_orgs as (
    select
        active.month as month, active.org_id as org_id, active.plan_id as plan_id, active.segment as segment,
        months.is_complete as is_complete
    from {{ ref('int_active_org_months') }} as active
    inner join {{ ref('int_months') }} as months on active.month = months.month
),

-- the catalog in force just before each close, among the versions up to the run's own
catalogs as (
    select months.month as month, months.closes_at as closes_at, max(settings.version) as version
    from {{ ref('int_months') }} as months
    cross join {{ ref('stg_catalog__settings') }} as settings
    where
        (settings.effective_from is null or settings.effective_from < months.closes_at)
        and (settings.effective_to is null or settings.effective_to >= months.closes_at)
    group by months.month, months.closes_at
),

-- what it allows to whom; a package counts from its publish date on
allowed as (
    select
        catalogs.month as month, items.item_kind as item_kind, items.item_id as item_id,
        items.plan_id as plan_id, items.segment as segment
    from catalogs
    inner join {{ ref('stg_catalog__allowed_items') }} as items on catalogs.version = items.version
    left join {{ ref('stg_catalog__packages') }} as packages
        on items.version = packages.version and items.item_kind = 'package' and items.item_id = packages.package_id
    where packages.published_at is null or packages.published_at < catalogs.closes_at
),

-- a plan or segment that the catalog does not know may have what everybody may
placed_orgs as (
    select
        active_orgs.month as month, active_orgs.is_complete as is_complete, active_orgs.org_id as org_id,
        case when active_orgs.plan_id = 'mixed' then 'mixed' else coalesce(plans.plan_id, 'none') end as plan_id,
        coalesce(segments.segment, 'none') as segment
    from active_orgs
    inner join catalogs on active_orgs.month = catalogs.month
    left join {{ ref('stg_catalog__plans') }} as plans
        on catalogs.version = plans.version and active_orgs.plan_id = plans.plan_id
    left join {{ ref('stg_catalog__segments') }} as segments
        on catalogs.version = segments.version and active_orgs.segment = segments.segment
),

-- without a published catalog every package that was ever seen is allowed to every org
seen_packages as (
    select package_id from {{ ref('int_installs') }}
    union distinct
    select package_id from {{ ref('fct_execution_days') }} where package_id is not null
),

eligible as (
    select
        placed_orgs.month as month, placed_orgs.is_complete as is_complete, placed_orgs.org_id as org_id,
        allowed.item_kind as item_kind, allowed.item_id as item_id
    from placed_orgs
    inner join allowed
        on placed_orgs.month = allowed.month
        and placed_orgs.plan_id = allowed.plan_id
        and placed_orgs.segment = allowed.segment
    union all
    select
        active_orgs.month as month, active_orgs.is_complete as is_complete, active_orgs.org_id as org_id,
        'package' as item_kind, seen_packages.package_id as item_id
    from active_orgs
    cross join seen_packages
    where not exists (select 1 from {{ ref('stg_catalog__settings') }})
)

select
    eligible.month as month,
    eligible.item_kind as item_kind,
    eligible.item_id as item_id,
    cast(count(*) as {{ type_bigint() }}) as eligible_orgs,
    cast(count(held.org_id) as {{ type_bigint() }}) as attached_orgs,
    {{ ppm('count(held.org_id)', 'count(*)') }} as attach_ppm,
    eligible.is_complete as is_complete
from eligible
left join {{ ref('int_held_items') }} as held
    on eligible.month = held.month
    and eligible.org_id = held.org_id
    and eligible.item_kind = held.item_kind
    and eligible.item_id = held.item_id
group by eligible.month, eligible.item_kind, eligible.item_id, eligible.is_complete
