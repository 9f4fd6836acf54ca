-- Events of the billing stream that count: each identity once, corrections applied, none at or after as_of.
{{ config(materialized='kept', stale='stale_keys', stream='billing') }}
{{ facts_of('billing') }}
