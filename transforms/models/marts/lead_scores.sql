-- The score of each lead: a letter for what it is, a digit for what it did lately, and the band that the sum falls in.
with

sums as (
    select
        lead_id,
        {{ int_sum("case when part in ('base', 'fit') then points end") }} as fit_points,
        {{ int_sum("case when part in ('engagement', 'limit') then points end") }} as engagement_points,
        {{ int_sum("case when part = 'engagement' then points end") }} as unlimited_engagement_points,
        {{ int_sum('points') }} as score
    from {{ ref('lead_score_parts') }}
    group by lead_id
),

-- the highest threshold reached, for each of the three; ties of thresholds go to the smaller label
reached as (
    select
        sums.lead_id as lead_id,
        thresholds.part as part,
        thresholds.label as label,
        row_number() over (
            partition by sums.lead_id, thresholds.part order by thresholds.min_points desc, thresholds.label
        ) as place
    from sums
    cross join {{ ref('stg_catalog__score_thresholds') }} as thresholds
    where thresholds.min_points <= case thresholds.part
        when 'fit' then sums.fit_points
        when 'engagement' then sums.unlimited_engagement_points
        else sums.score
    end
),

labels as (
    select
        lead_id,
        max(case when part = 'fit' then label end) as letter,
        max(case when part = 'engagement' then label end) as digit,
        max(case when part = 'band' then label end) as band
    from reached
    where place = 1
    group by lead_id
)

select
    sums.lead_id as lead_id,
    leads.org_id as org_id,
    leads.company_id as company_id,
    leads.lead_source as lead_source,
    leads.channel as channel,
    leads.status as lead_status,
    leads.owner_id as owner_id,
    leads.created_at as created_at,
    leads.email as email,
    sums.fit_points as fit_points,
    sums.engagement_points as engagement_points,
    sums.score as score,
    -- below every threshold (or without any) is the last grade
    coalesce(labels.letter, 'D') || coalesce(labels.digit, '4') as grade,
    coalesce(labels.band, 'none') as band,
    model.model_version as model_version,
    {{ as_of() }} as scored_at,
    model.is_assumed as is_assumed
from sums
inner join {{ ref('stg_crm__leads') }} as leads on sums.lead_id = leads.lead_id
left join labels on sums.lead_id = labels.lead_id
cross join {{ ref('stg_catalog__score_model') }} as model
