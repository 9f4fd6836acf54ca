-- Events of the installs stream that count: each identity once, corrections applied, none at or after as_of.
{{ config(materialized='kept', stale='stale_keys', stream='installs', partition_by='toYYYYMM(day)', order_by=['day', 'subject']) }}
{{ facts_of('installs') }}
