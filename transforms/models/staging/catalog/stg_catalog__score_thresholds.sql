-- From how many points a letter (fit), a digit (engagement) or a band (score) begins, in the scorecard in force at as_of.
select part, grade as label, min_points
from {{ catalog_source('catalog_score_grades') }}
where version = (select version from {{ ref('stg_catalog__version_in_force') }})
union all
select 'band' as part, band as label, min_score as min_points
from {{ catalog_source('catalog_score_bands') }}
where version = (select version from {{ ref('stg_catalog__version_in_force') }})
