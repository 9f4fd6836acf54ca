-- Which share of the active orgs that could have an item has it, at each month's close.
with

-- orgs that count (paying, on trial, or with an execution in the last 30 days), with what their plan and segment allow
eligible as (
    select active.month as month, active.org_id as org_id, allowed.item_kind as item_kind, allowed.item_id as item_id
    from {{ ref('int_active_org_months') }} as active
    inner join {{ ref('int_allowed_items') }} as allowed
        on active.month = allowed.month
        and active.plan_id = allowed.plan_id
        and active.segment = allowed.segment
),

-- items held at the close; several installs of one package are one
counts as (
    select
        eligible.month as month,
        eligible.item_kind as item_kind,
        eligible.item_id as item_id,
        cast(count(*) as {{ type_bigint() }}) as eligible_orgs,
        cast(count(held.org_id) as {{ type_bigint() }}) as attached_orgs
    from eligible
    left join {{ ref('int_held_items') }} as held
        on eligible.month = held.month
        and eligible.org_id = held.org_id
        and eligible.item_kind = held.item_kind
        and eligible.item_id = held.item_id
    group by eligible.month, eligible.item_kind, eligible.item_id
)

select
    counts.month as month,
    counts.item_kind as item_kind,
    counts.item_id as item_id,
    counts.eligible_orgs as eligible_orgs,
    counts.attached_orgs as attached_orgs,
    {{ ppm('counts.attached_orgs', 'counts.eligible_orgs') }} as attach_ppm,
    months.is_complete as is_complete
from counts
inner join {{ ref('int_months') }} as months on counts.month = months.month
