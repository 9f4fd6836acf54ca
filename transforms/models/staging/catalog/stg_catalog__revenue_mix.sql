-- The mix of revenue that the plan aims for, in the catalog in force at as_of, with whoever answers for it.
select mix.stream as stream, mix.share_ppm as share_ppm, mix.is_assumed as is_assumed,
    accountability.owner as owner, accountability.cadence as cadence,
    coalesce(accountability.is_assumed, false) as is_owner_assumed
from {{ catalog_source('catalog_revenue_mix') }} as mix
left join (
    select
        version, owner, cadence, is_assumed,
        row_number() over (
            partition by version order by case metric when 'revenue_share' then 0 else 1 end, owner, cadence, is_assumed
        ) as place
    from {{ catalog_source('catalog_accountability') }}
    where metric in ('revenue_share', 'revenue')
) as accountability on mix.version = accountability.version and accountability.place = 1
where mix.version = (select version from {{ ref('stg_catalog__version_in_force') }})
