-- What the catalog in force at as_of holds people to; days are half-open, NULL is open.
select
    target_id, phase, metric, dimension, member, comparator, goal, unit, currency, owner, cadence,
    period_start, period_end, is_assumed, is_owner_assumed
from {{ catalog_source('catalog_targets') }}
where version = (select version from {{ ref('stg_catalog__version_in_force') }})
