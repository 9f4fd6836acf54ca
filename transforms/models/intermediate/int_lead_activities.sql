-- What each activity of a lead is still worth as of the run. Points halve with every half-life since; they are whole numbers
-- ×10⁻¹², because a sum of floats depends on its order.
select
    activities.source as source,
    activities.event_id as event_id,
    activities.at as at,
    activities.lead_id as lead_id,
    activities.kind as kind,
    rules.rule_id as rule_id,
    rules.feature as feature,
    rules.max_points as max_points,
    cast(floor(
        cast(rules.points as {{ type_double() }}) * 1000000000000
        * pow(
            cast(0.5 as {{ type_double() }}),
            cast({{ seconds_between('activities.at', as_of()) }} as {{ type_double() }})
            / cast(model.half_life_days * 86400 as {{ type_double() }})
        )
        + cast(0.5 as {{ type_double() }})
    ) as {{ type_bigint() }}) as pico_points
from {{ ref('stg_crm__lead_activities') }} as activities
inner join {{ ref('stg_crm__leads') }} as leads on activities.lead_id = leads.lead_id
left join {{ ref('int_orgs') }} as orgs on leads.org_id = orgs.org_id
inner join {{ ref('stg_catalog__score_rules') }} as rules
    on activities.kind = rules.field and rules.part = 'engagement'
cross join {{ ref('stg_catalog__score_model') }} as model
where not coalesce(orgs.is_excluded, false)
