-- MRR of each org and currency over half-open time.
{{ config(materialized='ephemeral') }}
with

borders as (
    select org_id, currency, valid_from as border from {{ ref('int_mrr_items') }}
    union distinct
    select org_id, currency, valid_to as border from {{ ref('int_mrr_items') }} where valid_to is not null
),

numbered as (
    select borders.*, row_number() over (partition by org_id, currency order by border) as place from borders
)

select
    here.org_id as org_id,
    here.currency as currency,
    here.border as valid_from,
    following.border as valid_to,
    {{ int_sum('items.mrr_minor') }} as mrr_minor
from numbered as here
inner join {{ ref('int_mrr_items') }} as items on here.org_id = items.org_id and here.currency = items.currency
left join numbered as following
    on here.org_id = following.org_id
    and here.currency = following.currency
    and here.place + 1 = following.place
where items.valid_from <= here.border and (items.valid_to is null or items.valid_to > here.border)
group by here.org_id, here.currency, here.border, following.border
