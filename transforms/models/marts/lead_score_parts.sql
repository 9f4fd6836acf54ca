-- What a lead's score is made of: base, fit by what it is, engagement by what it did. The rows sum to the score.
with

leads as (
    select
        leads.lead_id as lead_id,
        leads.lead_source as lead_source,
        leads.channel as channel,
        leads.status as status,
        leads.attributes as attributes,
        leads.source as source,
        leads.event_id as event_id,
        leads.at as at,
        companies.source as company_source,
        companies.event_id as company_event_id,
        companies.at as company_at,
        companies.industry as industry,
        cast(companies.employees as {{ type_text() }}) as employees,
        companies.country as country,
        companies.segment as segment,
        companies.motion as motion,
        case when companies.is_target_account then 'true' when not companies.is_target_account then 'false' end as target_account
    from {{ ref('stg_crm__leads') }} as leads
    left join {{ ref('stg_crm__companies') }} as companies on leads.company_id = companies.company_id
    left join {{ ref('int_orgs') }} as orgs on leads.org_id = orgs.org_id
    where not coalesce(orgs.is_excluded, false)
),

-- every field that the scorecard looks at, for every lead, as text
fields as (
    select
        leads.lead_id as lead_id,
        looked_at.field as field,
        case looked_at.field
            when 'lead.source' then leads.lead_source
            when 'lead.channel' then leads.channel
            when 'lead.status' then leads.status
            when 'company.industry' then leads.industry
            when 'company.employees' then leads.employees
            when 'company.country' then leads.country
            when 'company.segment' then leads.segment
            when 'company.motion' then leads.motion
            when 'company.targetAccount' then leads.target_account
            -- attributes.<key>: the key begins after the dot
            else {{ json_value_at('leads.attributes', 'substring(looked_at.field, 12)') }}
        end as field_value
    from leads
    cross join (
        select distinct field from {{ ref('stg_catalog__score_rules') }} where part = 'fit'
    ) as looked_at
),

fit as (
    select
        fields.lead_id as lead_id,
        rules.feature as feature,
        max(fields.field_value) as value,
        {{ int_sum('rules.points') }} as points,
        min(case when rules.field like 'company.%' then 1 else 0 end) as is_of_company
    from fields
    inner join {{ ref('stg_catalog__score_rules') }} as rules on fields.field = rules.field and rules.part = 'fit'
    where case rules.operator
        when 'eq' then fields.field_value = rules.value
        when 'exists' then fields.field_value is not null
        when 'gte' then {{ decimal_or_null('fields.field_value') }} >= {{ decimal_or_null('rules.value') }}
        when 'lte' then {{ decimal_or_null('fields.field_value') }} <= {{ decimal_or_null('rules.value') }}
    end
    group by fields.lead_id, rules.feature
),

-- a rule's cap is on the sum of its activities
capped as (
    select
        lead_id,
        feature,
        activities,
        case
            when max_points is not null and pico_points > {{ wide('max_points') }} * 1000000000000
                then {{ wide('max_points') }} * 1000000000000
            else pico_points
        end as pico_points
    from (
        select lead_id, rule_id, feature, max_points, count(*) as activities, sum(pico_points) as pico_points
        from {{ ref('int_lead_activities') }}
        group by lead_id, rule_id, feature, max_points
    ) as summed
),

engagement as (
    select
        lead_id,
        feature,
        cast(sum(activities) as {{ type_text() }}) as value,
        {{ div_round('sum(pico_points)', '1000000000000') }} as points
    from capped
    group by lead_id, feature
),

base as (
    select leads.lead_id as lead_id, model.model_version as value, model.base_points as points
    from leads
    cross join {{ ref('stg_catalog__score_model') }} as model
),

parts as (
    select lead_id, 'base' as feature, 'base' as part, value, points, 0 as is_of_company from base
    union all
    select lead_id, feature, 'fit' as part, value, points, is_of_company from fit
    union all
    select lead_id, feature, 'engagement' as part, value, points, 0 as is_of_company from engagement
),

-- a score stays within the scorecard's bounds; what that takes or gives is a part of its own
limits as (
    select
        totals.lead_id as lead_id,
        case
            when totals.points > model.maximum_points then model.maximum_points - totals.points
            when totals.points < model.minimum_points then model.minimum_points - totals.points
            else 0
        end as points
    from (select lead_id, {{ int_sum('points') }} as points from parts group by lead_id) as totals
    cross join {{ ref('stg_catalog__score_model') }} as model
),

all_parts as (
    select * from parts
    union all
    select lead_id, 'limit' as feature, 'limit' as part, {{ null_of(type_text()) }} as value, points, 0 as is_of_company
    from limits
    where points <> 0
)

select
    all_parts.lead_id as lead_id,
    all_parts.feature as feature,
    all_parts.part as part,
    all_parts.value as value,
    cast(all_parts.points as {{ type_bigint() }}) as points,
    -- the state of the lead or of its company that says so; activities stand in int_lead_activities
    case when all_parts.is_of_company = 1 then leads.company_source else leads.source end as event_source,
    case when all_parts.is_of_company = 1 then leads.company_event_id else leads.event_id end as event_id,
    case when all_parts.is_of_company = 1 then leads.company_at else leads.at end as known_at
from all_parts
inner join leads on all_parts.lead_id = leads.lead_id
