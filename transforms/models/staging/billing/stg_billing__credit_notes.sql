-- Lines of credit notes: what an invoice's lines no longer ask for. A credit note reported again is the same note.
with

notes as (
    select
        events.source,
        events.event_id,
        events.at,
        events.data,
        {{ json_text('data', 'creditNoteId') }} as credit_note_id,
        row_number() over (
            partition by {{ json_text('data', 'creditNoteId') }} order by events.at, events.source, events.event_id
        ) as report
    from {{ ref('fct_billing') }} as events
    where type = 'credit_note.issued'
),

note_lines as (
    select
        notes.source,
        notes.event_id,
        notes.at,
        credit_note_id,
        {{ json_text('data', 'invoiceId') }} as invoice_id,
        {{ json_text('data', 'currency') }} as currency,
        {{ json_elements('data', 'lines') }} as line
    from notes
    where report = 1
)

select
    note_lines.source,
    note_lines.event_id,
    note_lines.at,
    credit_note_id,
    invoice_id,
    currency,
    {{ json_text('line', 'lineId') }} as line_id,
    {{ json_int('line', 'amountMinor') }} as amount_minor,
    coalesce({{ json_int('line', 'taxMinor') }}, 0) as tax_minor
from note_lines
