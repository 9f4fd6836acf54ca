-- The mix of revenue that the plan aims for, in the catalog in force at as_of, with whoever answers for it.
select mix.stream as stream, mix.share_ppm as share_ppm, mix.is_assumed as is_assumed,
    accountability.owner as owner, accountability.cadence as cadence
from {{ catalog_source('catalog_revenue_mix') }} as mix
left join (
    select version, min(owner) as owner, min(cadence) as cadence
    from {{ catalog_source('catalog_accountability') }}
    where metric in ('revenue_share', 'revenue')
    group by version
) as accountability on mix.version = accountability.version
where mix.version = (select version from {{ ref('stg_catalog__version_in_force') }})
