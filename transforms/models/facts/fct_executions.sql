-- Executions and recorded usage that count, typed: each identity once, corrections applied, none at or after as_of.
{{ config(materialized='kept', stale='stale_execution_keys', stream='executions', partition_by='toYYYYMM(day)', order_by=['day', 'org_id']) }}
{{ typed_executions(facts_of('executions')) }}
