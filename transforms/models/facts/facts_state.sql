-- One row, written when all facts stand: what the next run may build on. Without it the next run builds in full.
-- depends_on: {{ ref('dirty_keys') }}
-- depends_on: {{ ref('fct_execution_days') }}
-- depends_on: {{ ref('fct_installs') }}
-- depends_on: {{ ref('fct_billing') }}
-- depends_on: {{ ref('fct_crm') }}
select
    '{{ run_var("run_id") }}' as run_id,
    '{{ run_var("as_of") }}' as as_of_text,
    '{{ tojson(run_var("watermark")) }}' as watermark,
    '{{ run_var("facts_definition") }}' as definition,
    '{{ 'full' if kept_state() is none else 'incremental' }}' as build_kind
