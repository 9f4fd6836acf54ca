-- Segments that a catalog version knows.
select version, segment
from {{ catalog_source('catalog_segments') }}
