-- Which kinds of partner fit a program, by catalog version.
select version, program_id, partner_kind
from {{ catalog_source('catalog_program_kinds') }}
