-- MRR of each customer at both ends of each month, in each of its currencies.
with

closes as (
    select
        months.month as month,
        items.org_id as org_id,
        items.currency as currency,
        {{ int_sum('items.mrr_minor') }} as mrr_minor
    from {{ ref('int_mrr_items') }} as items
    cross join {{ ref('int_months') }} as months
    -- half-open: what begins at the closing instant belongs to the next month
    where items.mrr_minor > 0
        and items.valid_from < months.closes_at
        and (items.valid_to is null or items.valid_to >= months.closes_at)
    group by months.month, items.org_id, items.currency
),

ends as (
    select month, org_id, currency, 0 as open_minor, mrr_minor as close_minor from closes
    union all
    -- a month opens as the one before it closed
    select {{ add_months('closes.month', 1) }} as month, org_id, currency, mrr_minor as open_minor, 0 as close_minor from closes
),

first_paid as (
    select org_id, min(valid_from) as paid_from from {{ ref('int_mrr_items') }} where mrr_minor > 0 group by org_id
)

select
    ends.month as month,
    ends.org_id as org_id,
    ends.currency as currency,
    {{ int_sum('ends.open_minor') }} as open_minor,
    {{ int_sum('ends.close_minor') }} as close_minor,
    -- of the customer, in whatever currency
    {{ boolean('max(case when first_paid.paid_from < months.starts_at then 1 else 0 end) = 1') }} as ever_paid_before
from ends
inner join {{ ref('int_months') }} as months on ends.month = months.month
inner join first_paid on ends.org_id = first_paid.org_id
group by ends.month, ends.org_id, ends.currency
