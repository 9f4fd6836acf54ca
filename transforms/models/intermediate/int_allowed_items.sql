-- Which items an active org may have, at each month's close: by its plan and segment, in the catalog in force.
with

-- the catalog in force just before each close
catalogs as (
    select months.month as month, months.closes_at as closes_at, max(settings.version) as version
    from {{ ref('int_months') }} as months
    cross join {{ ref('stg_catalog__settings') }} as settings
    where
        (settings.effective_from is null or settings.effective_from < months.closes_at)
        and (settings.effective_to is null or settings.effective_to >= months.closes_at)
    group by months.month, months.closes_at
),

audiences as (
    select distinct month, plan_id, segment from {{ ref('int_active_org_months') }}
),

-- a plan or segment that the catalog does not know may have what everybody may
placed as (
    select
        audiences.month as month, audiences.plan_id as plan_id, audiences.segment as segment,
        catalogs.version as version, catalogs.closes_at as closes_at,
        case when audiences.plan_id = 'mixed' then 'mixed' else coalesce(plans.plan_id, 'none') end as known_plan_id,
        coalesce(segments.segment, 'none') as known_segment
    from audiences
    inner join catalogs on audiences.month = catalogs.month
    left join {{ ref('stg_catalog__plans') }} as plans
        on catalogs.version = plans.version and audiences.plan_id = plans.plan_id
    left join {{ ref('stg_catalog__segments') }} as segments
        on catalogs.version = segments.version and audiences.segment = segments.segment
),

-- without a published catalog every package that was ever seen is for every org
seen_packages as (
    select package_id from {{ ref('int_installs') }}
    union distinct
    select package_id from {{ ref('fct_execution_days') }} where package_id is not null
)

-- a package counts from its publish date on
select
    placed.month as month, placed.plan_id as plan_id, placed.segment as segment,
    items.item_kind as item_kind, items.item_id as item_id
from placed
inner join {{ ref('stg_catalog__allowed_items') }} as items
    on placed.version = items.version
    and placed.known_plan_id = items.plan_id
    and placed.known_segment = items.segment
left join {{ ref('stg_catalog__packages') }} as packages
    on items.version = packages.version
    and items.item_kind = 'package'
    and items.item_id = packages.package_id
where packages.published_at is null or packages.published_at < placed.closes_at
union all
select
    audiences.month as month, audiences.plan_id as plan_id, audiences.segment as segment,
    'package' as item_kind, seen_packages.package_id as item_id
from audiences
cross join seen_packages
where not exists (select 1 from {{ ref('stg_catalog__settings') }})
