-- Packages by catalog version: when they were published, what they list for, how soon they should give a first value.
select version, package_id, price_minor, published_at, target_seconds, is_lighthouse
from {{ catalog_source('catalog_packages') }}
