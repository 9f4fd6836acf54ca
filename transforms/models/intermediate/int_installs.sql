-- Every install and its life: when it began, first gave value and was uninstalled.
with

-- installs and uninstalls of each install id, with what the id went through just before
lifecycle as (
    select
        told.org_id as org_id, told.install_id as install_id, told.source as source, told.event_id as event_id,
        told.happened_at as happened_at, told.kind as kind,
        lag(told.kind, 1, 'nothing') over (
            partition by told.org_id, told.install_id order by told.happened_at, told.source, told.event_id
        ) as previous_kind
    from (
        select org_id, install_id, source, event_id, created.at as happened_at, 'created' as kind
        from {{ ref('stg_installs__installs') }} as created
        union all
        select org_id, install_id, source, event_id, ended.at as happened_at, 'uninstalled' as kind
        from {{ ref('stg_installs__uninstalls') }} as ended
    ) as told
),

-- an id created again after its uninstall is a new install; created again while it is open, the same one told twice
marked as (
    select
        org_id, install_id, source, event_id, happened_at, kind,
        case when kind = 'created' and previous_kind <> 'created' then 1 else 0 end as is_start
    from lifecycle
    where kind = 'uninstalled' or previous_kind <> 'created'
    union all
    select org_id, install_id, source, event_id, valued.at as happened_at, 'first_value' as kind, 0 as is_start
    from {{ ref('stg_installs__first_values') }} as valued
),

-- which of the id's installs an event belongs to; 0: it is older than the first of them
counted as (
    select
        org_id, install_id, source, event_id, happened_at, kind,
        row_number() over (partition by org_id, install_id order by happened_at, source, event_id) as place,
        cast(sum(is_start) over (
            partition by org_id, install_id order by happened_at, source, event_id
            rows between unbounded preceding and current row
        ) as {{ type_bigint() }}) as starts_so_far
    from marked
),

-- an event older than its install (clocks differ) still belongs to it; such an uninstall yields to a later one
ranked as (
    select
        org_id, install_id, source, event_id, happened_at, kind, place,
        greatest(starts_so_far, 1) as install_number,
        starts_so_far = 0 as is_early,
        row_number() over (
            partition by org_id, install_id, greatest(starts_so_far, 1), kind
            order by case when kind = 'uninstalled' and starts_so_far = 0 then 1 else 0 end, place
        ) as kind_rank
    from counted
),

firsts as (
    select org_id, install_id, install_number, kind, source, event_id, happened_at, place, is_early
    from ranked
    where kind_rank = 1
)

select
    created.org_id as org_id,
    created.install_id as install_id,
    created.package_id as package_id,
    created.bundle_id as bundle_id,
    created.channel as channel,
    created.at as created_at,
    created.source as source,
    created.event_id as event_id,
    case when first_values.is_early then created.at else first_values.happened_at end as first_value_at,
    first_values.source as first_value_source,
    first_values.event_id as first_value_event_id,
    coalesce(first_values.is_early, false) as is_value_early,
    case when ends.is_early then created.at else ends.happened_at end as ended_at,
    ends.source as ended_source,
    ends.event_id as ended_event_id,
    -- at one instant the event order decides, as everywhere
    first_values.place is not null and (ends.place is null or first_values.place < ends.place) as is_value_first
from {{ ref('stg_installs__installs') }} as created
inner join firsts as starts
    on created.source = starts.source and created.event_id = starts.event_id and starts.kind = 'created'
inner join {{ ref('int_orgs') }} as orgs on created.org_id = orgs.org_id and not orgs.is_excluded
left join firsts as first_values
    on starts.org_id = first_values.org_id
    and starts.install_id = first_values.install_id
    and starts.install_number = first_values.install_number
    and first_values.kind = 'first_value'
left join firsts as ends
    on starts.org_id = ends.org_id
    and starts.install_id = ends.install_id
    and starts.install_number = ends.install_number
    and ends.kind = 'uninstalled'
