-- Plans that a catalog version knows.
select version, plan_id
from {{ catalog_source('catalog_plans') }}
