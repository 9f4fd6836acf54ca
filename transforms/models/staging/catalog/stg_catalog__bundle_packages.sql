-- What each bundle holds, by catalog version.
select version, bundle_id, package_id
from {{ catalog_source('catalog_bundle_packages') }}
