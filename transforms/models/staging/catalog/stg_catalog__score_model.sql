-- The scorecard in force at as_of. Always one row: without a published scorecard, one that gives every lead 0 points.
select
    coalesce(max(model_version), 'none') as model_version,
    coalesce(max(base_points), 0) as base_points,
    coalesce(max(half_life_days), 1) as half_life_days,
    coalesce(max(minimum), 0) as minimum_points,
    coalesce(max(maximum), 0) as maximum_points,
    {{ boolean("coalesce(max(case when is_assumed then 1 else 0 end), 0) = 1") }} as is_assumed
from {{ catalog_source('catalog_score_model') }}
where version = (select version from {{ ref('stg_catalog__version_in_force') }})
