{#
  The rows behind the product's numbers. Drill templates import these with context: `run` is the prefix of the run's relations,
  `facts` names the run's facts, `param` leaves a bound parameter behind, `sql` is portable.sql.
#}

{# Active orgs of a month at the asked dimension and member. #}
{% macro active_members(month) %}
    select members.org_id as org_id, members.plan_id as plan_id, members.segment as segment
    from {{ run }}.int_active_org_months as active
    inner join {{ run }}.int_org_members as members on active.month = members.month and active.org_id = members.org_id
    where active.month = {{ month }}
        and {{ param('member', 'text') }} = case {{ param('dimension', 'text') }}
            when 'all' then 'all'
            when 'segment' then members.segment
            when 'plan' then members.plan_id
            when 'channel' then members.channel
            when 'partner' then members.partner_id
            when 'country' then members.country
            when 'motion' then members.motion
        end
{% endmacro %}

{# Active orgs whose plan and segment allow the asked item. #}
{% macro eligible_orgs(month) %}
    select active.org_id as org_id
    from {{ run }}.int_active_org_months as active
    inner join {{ run }}.int_allowed_items as allowed
        on active.month = allowed.month and active.plan_id = allowed.plan_id and active.segment = allowed.segment
    where active.month = {{ month }}
        and allowed.item_kind = {{ param('item_kind', 'text') }}
        and allowed.item_id = {{ param('item_id', 'text') }}
{% endmacro %}

{# What makes orgs active at a month's close: what they pay for or try, a trial, or an execution of the last 30 days. #}
{% macro signs_of_activity(month) %}
    select
        items.org_id as org_id, 'billing' as stream, items.source as source, items.event_id as event_id, items.state_at as at,
        1 as rank_of_kind, items.item_kind || ' ' || items.product_id as detail
    from {{ run }}.int_mrr_items as items
    cross join {{ run }}.int_months as months
    where months.month = {{ month }}
        and (items.mrr_minor > 0 or items.is_trial)
        and items.valid_from < months.closes_at
        and (items.valid_to is null or items.valid_to >= months.closes_at)
    union all
    select
        executions.org_id as org_id, 'executions' as stream, executions.source as source, executions.event_id as event_id,
        executions.at as at, 2 as rank_of_kind, executions.type as detail
    from {{ facts('executions') }} as executions
    cross join {{ run }}.int_months as months
    where months.month = {{ month }}
        and executions.type <> 'usage.recorded'
        and executions.at < months.closes_at
        and executions.at >= {{ sql.add_seconds('months.closes_at', -2592000) }}
    union all
    select
        coalesce(links.org_id, trials.subject) as org_id, 'installs' as stream, trials.source as source, trials.event_id as event_id,
        trials.at as at, 3 as rank_of_kind, trials.type as detail
    from {{ facts('installs') }} as trials
    cross join {{ run }}.int_months as months
    left join (
        select {{ sql.json_text('linked.data', 'visitorId') }} as visitor_id, {{ sql.json_text('linked.data', 'orgId') }} as org_id
        from {{ facts('installs') }} as linked
        where linked.type = 'identity.linked'
    ) as links on trials.subject = links.visitor_id
    where months.month = {{ month }} and trials.type = 'trial.started' and trials.at < months.closes_at
{% endmacro %}

{# Orgs as a count: each brings 1, on the first sign that it is active. #}
{% macro org_rows(side, month, orgs) %}
    select
        '{{ side }}' as side, signs.org_id as org_id, signs.stream as stream, signs.source as event_source,
        signs.event_id as event_id, signs.at as at, 1 as amount, 'active: ' || signs.detail as detail
    from (
        select
            found.*,
            row_number() over (partition by found.org_id order by found.rank_of_kind, found.at, found.source, found.event_id, found.detail) as place
        from ({{ signs_of_activity(month) }}) as found
        inner join (select distinct org_id from ({{ orgs }}) as chosen) as wanted on found.org_id = wanted.org_id
    ) as signs
    where signs.place = 1
{% endmacro %}

{# Installs open at a month's close, of the given orgs. #}
{% macro open_installs(month, orgs) %}
    select installs.*
    from {{ run }}.int_installs as installs
    cross join {{ run }}.int_months as months
    inner join ({{ orgs }}) as chosen on installs.org_id = chosen.org_id
    where months.month = {{ month }}
        and installs.created_at < months.closes_at
        and (installs.ended_at is null or installs.ended_at >= months.closes_at)
{% endmacro %}

{# Clocks of the asked roll-up; `(org)` is never part of 'all'. #}
{% macro clocks() %}
    select clocks.*
    from {{ run }}.int_value_clocks as clocks
    where (clocks.package_id = {{ param('package_id', 'text') }}
            or ({{ param('package_id', 'text') }} = 'all' and clocks.package_id <> '(org)'))
        and {{ param('plan_id', 'text') }} in ('all', clocks.plan_id)
        and {{ param('channel', 'text') }} in ('all', clocks.channel)
        and {{ param('install_month', 'text') }} in ('all', {{ sql.month_text('clocks.install_month') }})
{% endmacro %}

{# One side of clocks: each brings 1 at its start. #}
{% macro clock_rows(side, condition) %}
    select
        '{{ side }}' as side, chosen.org_id as org_id, 'installs' as stream, chosen.source as event_source,
        chosen.event_id as event_id, chosen.started_at as at, 1 as amount,
        chosen.package_id || ' ' || chosen.outcome || ' after ' || cast(chosen.seconds as {{ sql.type_text() }}) || ' s' as detail
    from ({{ clocks() }}) as chosen
    where {{ condition }}
{% endmacro %}

{# The events that stopped the clocks explain; they add nothing. #}
{% macro clock_endings(side, condition) %}
    select
        '{{ side }}' as side, chosen.org_id as org_id, 'installs' as stream, chosen.outcome_source as event_source,
        chosen.outcome_event_id as event_id, stops.at as at, 0 as amount, 'stopped by ' || stops.type as detail
    from ({{ clocks() }}) as chosen
    inner join {{ facts('installs') }} as stops
        on chosen.outcome_source = stops.source and chosen.outcome_event_id = stops.event_id
    where {{ condition }}
{% endmacro %}

{# Ended executions of the asked package and week: each that fits brings 1. #}
{% macro execution_rows(side, condition) %}
    select
        '{{ side }}' as side, ended.org_id as org_id, 'executions' as stream, ended.source as event_source,
        ended.event_id as event_id, ended.at as at, 1 as amount,
        ended.type || case when ended.human_intervention then ', a human stepped in' else '' end as detail
    from {{ facts('executions') }} as ended
    inner join {{ run }}.int_orgs as orgs on ended.org_id = orgs.org_id and not orgs.is_excluded
    where ended.package_id = {{ param('package_id', 'text') }}
        and ended.day >= {{ param('week', 'date') }}
        and ended.day < {{ sql.add_days(param('week', 'date'), 7) }}
        and {{ condition }}
{% endmacro %}
