-- Lines of invoices that stand. line_index orders them as sent; net amounts, tax beside.
{{ config(materialized='table') }}
with

elements as (
    select
        invoices.source as source,
        invoices.event_id as event_id,
        invoices.at as at,
        invoices.org_id as org_id,
        invoices.invoice_id as invoice_id,
        invoices.subscription_id as subscription_id,
        invoices.currency as currency,
        {{ json_indexed_elements('invoices.data', 'lines') }} as element
    from {{ ref('stg_billing__invoices') }} as invoices
),

lines as (
    select elements.*, {{ json_object('elements.element', 'value') }} as line from elements
)

select
    lines.source as source,
    lines.event_id as event_id,
    lines.at as at,
    lines.org_id as org_id,
    lines.invoice_id as invoice_id,
    lines.subscription_id as subscription_id,
    lines.currency as currency,
    {{ json_int('lines.element', 'index') }} as line_index,
    {{ json_text('lines.line', 'lineId') }} as line_id,
    {{ json_text('lines.line', 'kind') }} as kind,
    {{ json_text('lines.line', 'productId') }} as product_id,
    {{ json_text('lines.line', 'description') }} as description,
    {{ json_int('lines.line', 'amountMinor') }} as amount_minor,
    coalesce({{ json_int('lines.line', 'taxMinor') }}, 0) as tax_minor,
    {{ json_decimal('lines.line', 'quantity') }} as quantity,
    {{ json_instant('lines.line', 'periodStart') }} as period_start,
    {{ json_instant('lines.line', 'periodEnd') }} as period_end,
    -- dates without a time mean a partner's calendar to commissions: they read the text
    {{ json_text('lines.line', 'periodStart') }} as period_start_text,
    {{ json_text('lines.line', 'periodEnd') }} as period_end_text
from lines
