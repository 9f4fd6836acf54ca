-- Net invoice lines spread over their service periods: each line's share of each month, and the package that earned it.
with

-- the days that a line serves, end exclusive; without a period it is the day of its invoice
lines as (
    select
        told.org_id as org_id,
        told.invoice_id as invoice_id,
        told.line_index as line_index,
        told.line_id as line_id,
        told.product_id as product_id,
        told.currency as currency,
        told.amount_minor as amount_minor,
        told.source as source,
        told.event_id as event_id,
        told.at as invoiced_at,
        case
            when told.period_end > told.period_start then {{ day_of('told.period_start') }} else {{ day_of('told.at') }}
        end as first_day,
        case
            when {{ day_of('told.period_end') }} > {{ day_of('told.period_start') }} then {{ day_of('told.period_end') }}
            when told.period_end > told.period_start then {{ add_days(day_of('told.period_start'), 1) }}
            else {{ add_days(day_of('told.at'), 1) }}
        end as end_day
    from {{ ref('stg_billing__invoice_lines') }} as told
),

-- whole months first, so that a month's share is the same from whichever day one looks back
month_days as (
    select
        lines.invoice_id as invoice_id,
        lines.line_index as line_index,
        {{ add_months(month_start('lines.first_day'), 'numbers.n') }} as month,
        numbers.n as place,
        abs(lines.amount_minor) as total_minor,
        {{ days_between(
            'greatest(lines.first_day, ' ~ add_months(month_start('lines.first_day'), 'numbers.n') ~ ')',
            'least(lines.end_day, ' ~ add_months(month_start('lines.first_day'), 'numbers.n + 1') ~ ')'
        ) }} as weight_minor
    from lines
    cross join {{ number_spine(600) }} as numbers
    where {{ add_months(month_start('lines.first_day'), 'numbers.n') }} < lines.end_day
),

month_shares as (
    {{ allocate('month_days', ['invoice_id', 'line_index']) }}
),

-- of the month that as-of cuts, the days that have begun before it
earned as (
    select
        shares.invoice_id as invoice_id,
        shares.line_index as line_index,
        shares.month as month,
        lines.product_id as product_id,
        case when lines.amount_minor < 0 then -1 else 1 end * case
            when {{ start_of('least(lines.end_day, ' ~ add_months('shares.month', 1) ~ ')') }} <= {{ as_of() }} then shares.share_minor
            else {{ div_round(
                wide('shares.share_minor') ~ ' * ' ~ days_between('greatest(lines.first_day, shares.month)', day_of(add_seconds(as_of(), 86399))),
                'shares.weight_minor'
            ) }}
        end as amount_minor
    from month_shares as shares
    inner join lines on shares.invoice_id = lines.invoice_id and shares.line_index = lines.line_index
    where {{ start_of('greatest(lines.first_day, shares.month)') }} < {{ as_of() }}
)
,

-- a bundle's revenue belongs to its packages by their list prices (evenly where none has a price)
bundle_packages as (
    select
        contents.bundle_id as bundle_id,
        contents.package_id as package_id,
        row_number() over (partition by contents.bundle_id order by contents.package_id) as place,
        case
            when sum(packages.price_minor) over (partition by contents.bundle_id) > 0 then coalesce(packages.price_minor, 0)
            else 1
        end as weight_minor
    from {{ ref('stg_catalog__bundle_packages') }} as contents
    left join {{ ref('stg_catalog__packages') }} as packages
        on contents.version = packages.version and contents.package_id = packages.package_id
    where contents.version = (select version from {{ ref('stg_catalog__version_in_force') }})
),

bundle_parts as (
    select
        earned.invoice_id as invoice_id, earned.line_index as line_index, earned.month as month,
        contents.package_id as package_id, contents.place as place, contents.weight_minor as weight_minor,
        abs(earned.amount_minor) as total_minor, case when earned.amount_minor < 0 then -1 else 1 end as direction
    from earned
    inner join bundle_packages as contents on earned.product_id = contents.bundle_id
),

known_packages as (
    select package_id from {{ ref('stg_catalog__packages') }} where version = (select version from {{ ref('stg_catalog__version_in_force') }})
    union distinct
    select package_id from {{ ref('int_installs') }}
),

-- a plan, an add-on or a service is no package's revenue
parts as (
    select invoice_id, line_index, month, package_id, direction * share_minor as amount_minor
    from ({{ allocate('bundle_parts', ['invoice_id', 'line_index', 'month']) }}) as bundle_shares
    union all
    select
        earned.invoice_id as invoice_id, earned.line_index as line_index, earned.month as month,
        known_packages.package_id as package_id, earned.amount_minor as amount_minor
    from earned
    left join known_packages on earned.product_id = known_packages.package_id
    left join (select distinct bundle_id from bundle_packages) as bundles on earned.product_id = bundles.bundle_id
    where bundles.bundle_id is null
)

select
    parts.month as month,
    lines.org_id as org_id,
    lines.currency as currency,
    parts.package_id as package_id,
    lines.invoice_id as invoice_id,
    lines.line_index as line_index,
    lines.line_id as line_id,
    lines.product_id as product_id,
    lines.first_day as first_day,
    lines.end_day as end_day,
    cast(parts.amount_minor as {{ type_bigint() }}) as amount_minor,
    lines.source as source,
    lines.event_id as event_id,
    lines.invoiced_at as at
from parts
inner join lines on parts.invoice_id = lines.invoice_id and parts.line_index = lines.line_index
inner join {{ ref('int_orgs') }} as orgs on lines.org_id = orgs.org_id and not orgs.is_excluded
