-- Events of the installs stream that count: each identity once, corrections applied, none at or after as_of.
{{ config(materialized='kept', stale='stale_keys', stream='installs') }}
{{ facts_of('installs') }}
