-- The catalog version that rules at as_of; NULL where none was published by then. Always one row.
select max(version) as version
from {{ catalog_source('catalog_settings') }}
where
    (effective_from is null or effective_from <= {{ as_of() }})
    and (effective_to is null or effective_to > {{ as_of() }})
