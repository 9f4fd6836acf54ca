-- Every clock that runs towards a first value, and how it stopped: an install's, or under package '(org)' a signup's.
with

-- where a whole org's clock begins and ends: its first signup, its first activation
signups as (
    select
        told.org_id as org_id, told.source as source, told.event_id as event_id, told.at as happened_at, told.channel as channel,
        row_number() over (partition by told.org_id order by told.at, told.source, told.event_id) as place
    from {{ ref('stg_installs__signups') }} as told
),

activations as (
    select
        told.org_id as org_id, told.source as source, told.event_id as event_id, told.at as happened_at,
        row_number() over (partition by told.org_id order by told.at, told.source, told.event_id) as place
    from {{ ref('stg_installs__activations') }} as told
),

-- products without packages; where packages exist, only if the company reports activations at all
org_clocks as (
    select
        signups.org_id as org_id,
        signups.channel as channel,
        signups.happened_at as started_at,
        signups.source as source,
        signups.event_id as event_id,
        activations.happened_at as value_at,
        activations.source as value_source,
        activations.event_id as value_event_id
    from signups
    inner join {{ ref('int_orgs') }} as orgs on signups.org_id = orgs.org_id and not orgs.is_excluded
    left join activations on signups.org_id = activations.org_id and activations.place = 1
    where
        signups.place = 1
        and (
            exists (select 1 from activations)
            or exists (
                select 1 from {{ ref('stg_catalog__settings') }} as settings
                where settings.version = (select version from {{ ref('stg_catalog__version_in_force') }}) and not settings.has_packages
            )
        )
),

clocks as (
    select
        installs.package_id as package_id,
        installs.org_id as org_id,
        installs.install_id as install_id,
        coalesce(installs.channel, signups.channel, 'none') as channel,
        installs.created_at as started_at,
        installs.source as source,
        installs.event_id as event_id,
        installs.first_value_at as value_at,
        installs.first_value_source as value_source,
        installs.first_value_event_id as value_event_id,
        installs.ended_at as ended_at,
        installs.ended_source as ended_source,
        installs.ended_event_id as ended_event_id,
        case
            when installs.is_value_first then 'reached'
            when installs.ended_at is not null then 'competing'
            else 'censored'
        end as outcome
    from {{ ref('int_installs') }} as installs
    left join signups on installs.org_id = signups.org_id and signups.place = 1
    union all
    select
        '(org)' as package_id,
        org_id,
        {{ null_of(type_text()) }} as install_id,
        coalesce(channel, 'none') as channel,
        started_at,
        source,
        event_id,
        value_at,
        value_source,
        value_event_id,
        {{ null_of(type_timestamp()) }} as ended_at,
        {{ null_of(type_text()) }} as ended_source,
        {{ null_of(type_text()) }} as ended_event_id,
        case when value_at is not null then 'reached' else 'censored' end as outcome
    from org_clocks
),

-- the plan at the moment the clock started; a later plan would be hindsight
plans_held as (
    select
        clocks.source as source,
        clocks.event_id as event_id,
        case when min(items.product_id) = max(items.product_id) then min(items.product_id) else 'mixed' end as plan_id
    from clocks
    inner join {{ ref('int_mrr_items') }} as items on clocks.org_id = items.org_id
    where
        items.item_kind = 'plan'
        and items.valid_from <= clocks.started_at
        and (items.valid_to is null or items.valid_to > clocks.started_at)
    group by clocks.source, clocks.event_id
)

select
    clocks.package_id as package_id,
    clocks.org_id as org_id,
    clocks.install_id as install_id,
    coalesce(plans_held.plan_id, 'none') as plan_id,
    clocks.channel as channel,
    {{ month_start('clocks.started_at') }} as install_month,
    clocks.started_at as started_at,
    clocks.source as source,
    clocks.event_id as event_id,
    clocks.outcome as outcome,
    -- a value before its install took no time; what has not happened yet is followed up to as-of
    greatest(0, case
        when clocks.outcome = 'reached' then {{ seconds_between('clocks.started_at', 'clocks.value_at') }}
        when clocks.outcome = 'competing' then {{ seconds_between('clocks.started_at', 'clocks.ended_at') }}
        else {{ seconds_between('clocks.started_at', as_of()) }}
    end) as seconds,
    {{ seconds_between('clocks.started_at', as_of()) }} as age_seconds,
    case when clocks.outcome = 'reached' then clocks.value_source when clocks.outcome = 'competing' then clocks.ended_source end as outcome_source,
    case when clocks.outcome = 'reached' then clocks.value_event_id when clocks.outcome = 'competing' then clocks.ended_event_id end as outcome_event_id
from clocks
left join plans_held on clocks.source = plans_held.source and clocks.event_id = plans_held.event_id
