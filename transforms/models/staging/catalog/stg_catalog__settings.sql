-- Every published catalog version, and from when to when each was in force; NULL is open.
select version, has_packages, reporting_currency, effective_from, effective_to
from {{ catalog_source('catalog_settings') }}
