-- What the plan holds people to, month by month: what was reached, what is missing, and whether the pace closes the gap.
with

-- a wish for the mix of revenue is a target like others, met when a stream is within five points of its share
wanted as (
    select
        target_id, phase, metric, coalesce(dimension, 'all') as dimension, coalesce(member, 'all') as member, comparator, goal,
        unit, currency, owner, cadence, period_start, period_end, is_assumed, is_owner_assumed
    from {{ ref('stg_catalog__targets') }}
    union all
    select
        'revenue_mix_' || stream as target_id, {{ null_of(type_text()) }} as phase, 'revenue_share' as metric, 'item' as dimension,
        stream as member, 'near' as comparator, share_ppm as goal, 'ppm' as unit, {{ null_of(type_text()) }} as currency,
        owner, coalesce(cadence, 'monthly') as cadence,
        {{ null_of('date') }} as period_start, {{ null_of('date') }} as period_end, is_assumed, is_owner_assumed
    from {{ ref('stg_catalog__revenue_mix') }}
),

-- the reporting currency stands for the whole company; where there is none, its only currency does
currencies as (
    select
        max(case when currency like 'reporting:%' then currency end) as reporting,
        case when count(distinct currency) = 1 then max(currency) end as sole
    from {{ ref('int_target_actuals') }}
),

placed as (
    select
        wanted.*,
        case
            when currencies.reporting is not null and (wanted.currency is null or currencies.reporting = 'reporting:' || wanted.currency)
                then currencies.reporting
            when wanted.currency is not null then wanted.currency
            else currencies.sole
        end as actual_currency
    from wanted
    cross join currencies
),

-- every target in every month, so that a trend can look back beyond the target's own months
measured as (
    select
        placed.target_id as target_id,
        months.month as month,
        months.is_complete as is_complete,
        -- revenue is promised for a stretch of time, not for a month: what came in since it began
        case
            when placed.metric = 'revenue' and placed.period_start is not null then sum(
                case when months.month >= placed.period_start and (placed.period_end is null or months.month < placed.period_end)
                    then actuals.actual end
            ) over (partition by placed.target_id order by months.month rows between unbounded preceding and current row)
            else actuals.actual
        end as actual
    from placed
    cross join {{ ref('int_months') }} as months
    left join {{ ref('int_target_actuals') }} as actuals
        on months.month = actuals.month
        and placed.metric = actuals.metric
        and placed.dimension = actuals.dimension
        and placed.member = actuals.member
        and coalesce(actuals.currency, placed.actual_currency, '') = coalesce(placed.actual_currency, '')
),

trends as (
    select
        measured.target_id as target_id,
        measured.month as month,
        measured.is_complete as is_complete,
        measured.actual as actual,
        measured.actual - lag(measured.actual, 1, {{ null_of(type_bigint()) }}) over (
            partition by measured.target_id order by measured.month
        ) as trend
    from measured
),

-- months that are over and that the target speaks of
judged as (
    select
        placed.target_id as target_id,
        trends.month as month,
        trends.actual as actual,
        trends.trend as trend
    from placed
    inner join trends on placed.target_id = trends.target_id
    where
        trends.is_complete
        and (placed.period_start is null or trends.month >= {{ month_start('placed.period_start') }})
        and (placed.period_end is null or trends.month < placed.period_end)
),

-- a target that no month can be judged on yet still has its row
periods as (
    select target_id, month, actual, trend from judged
    union all
    select
        placed.target_id as target_id,
        coalesce({{ month_start('placed.period_start') }}, {{ month_start(as_of()) }}) as month,
        {{ null_of(type_bigint()) }} as actual,
        {{ null_of(type_bigint()) }} as trend
    from placed
    left join judged on placed.target_id = judged.target_id
    where judged.target_id is null
),

gaps as (
    select
        placed.*,
        periods.month as period,
        cast(periods.actual as {{ type_bigint() }}) as actual,
        cast(periods.trend as {{ type_bigint() }}) as trend,
        cast(periods.actual - placed.goal as {{ type_bigint() }}) as gap,
        -- how far the goal is away, and how far the last month came towards it; both in the direction that counts
        case placed.comparator when 'lte' then periods.actual - placed.goal else placed.goal - periods.actual end as missing,
        case placed.comparator when 'lte' then -periods.trend else periods.trend end as pace,
        -- without an end, a year
        case
            when placed.period_end is null then 12
            else {{ month_number('placed.period_end') }} - {{ month_number('periods.month') }} - 1
        end as months_left
    from placed
    inner join periods on placed.target_id = periods.target_id
)

select
    target_id,
    period,
    phase,
    metric,
    dimension,
    member,
    owner,
    cadence,
    comparator,
    goal,
    actual,
    gap,
    trend,
    case
        when actual is null then 'no data'
        when comparator = 'near' and abs(gap) <= 50000 then 'on track'
        when comparator = 'near' then 'behind'
        when missing <= 0 then 'ahead'
        when pace > 0 and pace * months_left >= missing then 'on track'
        else 'behind'
    end as status,
    unit,
    currency,
    actual_currency,
    period_start,
    period_end,
    is_assumed,
    is_owner_assumed,
    cast(row_number() over (partition by target_id order by period desc) = 1 as {{ type_boolean() }}) as is_latest
from gaps
