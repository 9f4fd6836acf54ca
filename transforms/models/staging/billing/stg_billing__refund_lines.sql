-- What a refund takes from lines that it names; a refund that names none has no row here.
with

elements as (
    select refunds.*, {{ json_elements('refunds.data', 'lines') }} as line
    from {{ ref('stg_billing__refunds') }} as refunds
)

select
    elements.source as source,
    elements.event_id as event_id,
    elements.at as at,
    elements.invoice_id as invoice_id,
    elements.refund_id as refund_id,
    {{ json_text('elements.line', 'lineId') }} as line_id,
    {{ json_int('elements.line', 'amountMinor') }} as amount_minor
from elements
