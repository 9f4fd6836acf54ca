-- Each customer's net change of MRR in a month: what kind of movement it is, and what caused it.
with

-- the customer as a whole tells a newcomer from one that pays in a further currency
nets as (
    select
        month,
        org_id,
        currency,
        open_minor,
        close_minor,
        ever_paid_before,
        sum(open_minor) over (partition by month, org_id) as customer_open_minor,
        sum(close_minor) over (partition by month, org_id) as customer_close_minor,
        max(case when open_minor > 0 and close_minor = 0 then 1 else 0 end) over (partition by month, org_id) as some_currency_left,
        max(case when open_minor = 0 and close_minor > 0 then 1 else 0 end) over (partition by month, org_id) as some_currency_came
    from {{ ref('mrr_customer_months') }}
),

movements as (
    select
        month,
        org_id,
        currency,
        case
            when open_minor = 0 and customer_open_minor = 0 and not ever_paid_before then 'new'
            when open_minor = 0 and customer_open_minor = 0 then 'reactivation'
            when open_minor = 0 and some_currency_left = 1 then 'currency_change'
            when close_minor = 0 and customer_close_minor = 0 then 'churn'
            when close_minor = 0 and some_currency_came = 1 then 'currency_change'
            when close_minor > open_minor then 'expansion'
            else 'contraction'
        end as movement
    from nets
    where open_minor <> close_minor
)

select
    movements.month as month,
    movements.org_id as org_id,
    movements.currency as currency,
    causes.cause as cause,
    movements.movement as movement,
    {{ int_sum('causes.amount_minor') }} as amount_minor,
    {{ event_list('causes.source', 'causes.event_id') }} as events
from movements
inner join {{ ref('int_mrr_causes') }} as causes
    on movements.month = causes.month
    and movements.org_id = causes.org_id
    and movements.currency = causes.currency
group by movements.month, movements.org_id, movements.currency, causes.cause, movements.movement
having sum(causes.amount_minor) <> 0
