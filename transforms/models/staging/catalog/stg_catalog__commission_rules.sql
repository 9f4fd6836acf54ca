-- Commission rules of every catalog version, one row per kind of invoice line they cover; NULL is any.
select
    rules.version as version,
    rules.program_id as program_id,
    rules.rule_id as rule_id,
    rules.rule_version as rule_version,
    rules.precedence as precedence,
    rules.rule_kind as rule_kind,
    rules.rate_ppm as rate_ppm,
    rules.flat_minor as flat_minor,
    rules.currency as flat_currency,
    rules.window_kind as window_kind,
    rules.window_months as window_months,
    rules.anchor as anchor,
    rules.product_id as product_id,
    rules.partner_id as partner_id,
    rules.tier as tier,
    line_kinds.line_kind as line_kind,
    rules.is_assumed as is_assumed
from {{ catalog_source('catalog_commission_rules') }} as rules
left join {{ catalog_source('catalog_rule_line_kinds') }} as line_kinds
    on rules.version = line_kinds.version
    and rules.rule_id = line_kinds.rule_id
