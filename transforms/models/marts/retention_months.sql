-- What the customers of `window_months` ago pay now: net (all of it) and gross (never more than then). Point to point;
-- customers who joined since are not in it, customers who left and came back are.
with

closes as (
    select * from {{ ref('int_mrr_org_months') }} where close_minor > 0
),

windows as (
    {%- for window in [1, 3, 12] %}
    select {{ window }} as window_months{% if not loop.last %} union all{% endif %}
    {%- endfor %}
),

-- each customer at the base month's member
bases as (
    select
        months.month as month,
        windows.window_months as window_months,
        base.org_id as org_id,
        base.currency as currency,
        base.close_minor as then_minor,
        {%- for dimension, column in member_dimensions() %}
        base.{{ dimension }}_member as {{ dimension }}_member{% if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ ref('int_months') }} as months
    cross join windows
    inner join closes as base on base.month = {{ add_months('months.month', '-windows.window_months') }}
),

compared as (
    select
        {%- for column in ['month', 'window_months', 'org_id', 'currency', 'then_minor'] %}
        bases.{{ column }} as {{ column }},
        {%- endfor %}
        {%- for dimension, column in member_dimensions() %}
        bases.{{ dimension }}_member as {{ dimension }}_member,
        {%- endfor %}
        coalesce(now.close_minor, 0) as now_minor
    from bases
    left join closes as now
        on bases.month = now.month
        and bases.org_id = now.org_id
        and bases.currency = now.currency
),

by_member as (
    {%- for dimension, column in [['all', none]] + member_dimensions() %}
    {% if not loop.first %}union all{% endif %}
    select
        month, currency, window_months, '{{ dimension }}' as dimension,
        {{ "'all'" if dimension == 'all' else dimension ~ '_member' }} as member, then_minor, now_minor
    from compared
    {%- endfor %}
),

sums as (
    select
        month,
        currency,
        window_months,
        dimension,
        member,
        {{ int_sum('then_minor') }} as base_minor,
        {{ int_sum('now_minor') }} as now_minor,
        {{ int_sum('least(then_minor, now_minor)') }} as capped_minor,
        count(*) as base_customers
    from by_member
    group by month, currency, window_months, dimension, member
)

select
    sums.month as month,
    sums.currency as currency,
    sums.window_months as window_months,
    sums.dimension as dimension,
    sums.member as member,
    sums.base_minor as base_minor,
    sums.now_minor as now_minor,
    sums.capped_minor as capped_minor,
    {{ ppm('sums.now_minor', 'sums.base_minor') }} as nrr_ppm,
    {{ ppm('sums.capped_minor', 'sums.base_minor') }} as grr_ppm,
    cast(sums.base_customers as {{ type_bigint() }}) as base_customers,
    months.is_complete as is_complete
from sums
inner join {{ ref('int_months') }} as months on sums.month = months.month
