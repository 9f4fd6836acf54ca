-- Who may have what, written out per plan and segment ('none' and 'mixed' included), by catalog version.
select version, item_kind, item_id, plan_id, segment
from {{ catalog_source('catalog_allowed_items') }}
