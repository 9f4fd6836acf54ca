-- The rules of the scorecard in force at as_of: which field or activity is worth how many points.
select rule_id, part, feature, operator, field, value, points, max_points
from {{ catalog_source('catalog_score_rules') }}
where version = (select version from {{ ref('stg_catalog__version_in_force') }})
