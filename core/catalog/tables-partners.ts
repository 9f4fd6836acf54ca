import type { CommissionRule } from './partners.js';
import { table, type PublishedCatalog } from './tables.js';

/** Partner programs and the rules that pay them. */
export const PARTNER_TABLES = {
  catalog_programs: table(
    {
      program_id: 'text',
      name: 'text',
      zone: 'text',
      attribution: 'text',
      attribution_window_days: 'bigint',
      hold_days: 'bigint',
      hold_months: 'bigint',
      payout_day: 'integer',
      minimum_payout_minor: 'bigint',
      currency: 'text',
      is_attribution_assumed: 'boolean',
      is_hold_assumed: 'boolean',
      is_payout_assumed: 'boolean',
    },
    (catalog) =>
      Object.entries(catalog.programs).map(([programId, program]) => ({
        program_id: programId,
        name: program.name,
        zone: program.zone ?? catalog.zone,
        attribution: program.attribution.touch,
        attribution_window_days: BigInt(program.attribution.windowDays),
        hold_days: bigintOrNull(program.hold.days),
        hold_months: bigintOrNull(program.hold.months),
        payout_day: program.payout.dayOfMonth,
        minimum_payout_minor: program.payout.minimum?.amountMinor ?? null,
        currency: program.payout.minimum?.currency ?? null,
        is_attribution_assumed: program.attribution.assumed,
        is_hold_assumed: program.hold.assumed,
        is_payout_assumed: program.payout.assumed || program.payout.minimum?.assumed === true,
      })),
  ),

  catalog_program_kinds: table({ program_id: 'text', partner_kind: 'text' }, ({ programs }) =>
    Object.entries(programs).flatMap(([programId, { kinds }]) =>
      kinds.map((kind) => ({ program_id: programId, partner_kind: kind })),
    ),
  ),

  catalog_program_tiers: table(
    {
      program_id: 'text',
      tier: 'text',
      name: 'text',
      next_tier: 'text',
      from_minor: 'bigint',
      currency: 'text',
      period: 'text',
      is_assumed: 'boolean',
    },
    ({ programs }) =>
      Object.entries(programs).flatMap(([programId, { tiers }]) =>
        Object.entries(tiers).map(([tierId, { name, next, from, period }]) => ({
          program_id: programId,
          tier: tierId,
          name,
          next_tier: next ?? null,
          from_minor: from?.amountMinor ?? null,
          currency: from?.currency ?? null,
          period,
          is_assumed: from?.assumed ?? false,
        })),
      ),
  ),

  catalog_commission_rules: table(
    {
      program_id: 'text',
      rule_id: 'text',
      rule_version: 'integer',
      precedence: 'integer',
      rule_kind: 'text',
      rate_ppm: 'bigint',
      flat_minor: 'bigint',
      currency: 'text',
      window_kind: 'text',
      window_months: 'integer',
      anchor: 'text',
      product_id: 'text',
      partner_id: 'text',
      tier: 'text',
      is_assumed: 'boolean',
      is_window_assumed: 'boolean',
    },
    (_, published) =>
      rulesOf(published).map(({ programId, ruleId, rule }) => ({
        program_id: programId,
        rule_id: ruleId,
        rule_version: rule.version,
        precedence: rule.precedence,
        rule_kind: rule.kind,
        ...rateCells(rule),
        window_kind: rule.window.kind,
        window_months: rule.window.months ?? null,
        anchor: rule.window.anchor ?? null,
        product_id: rule.product ?? null,
        partner_id: rule.partner ?? null,
        tier: rule.tier ?? null,
        is_assumed: rule.assumed || (rule.kind === 'flat' && rule.flat.assumed),
        is_window_assumed: rule.window.assumed,
      })),
  ),

  catalog_rule_line_kinds: table({ rule_id: 'text', line_kind: 'text' }, (_, published) =>
    rulesOf(published).flatMap(({ ruleId, rule }) =>
      rule.lineKinds.map((lineKind) => ({ rule_id: ruleId, line_kind: lineKind })),
    ),
  ),
};

/** Rules keep the ids of the file; that no two programs share one is checked with the references. */
function rulesOf({ catalog }: PublishedCatalog) {
  return Object.entries(catalog.programs).flatMap(([programId, { rules }]) =>
    Object.entries(rules).map(([ruleId, rule]) => ({ programId, ruleId, rule })),
  );
}

function rateCells(rule: CommissionRule) {
  if (rule.kind === 'percent') return { rate_ppm: BigInt(rule.percent), flat_minor: null, currency: null };
  if (rule.kind === 'flat') {
    return { rate_ppm: null, flat_minor: rule.flat.amountMinor, currency: rule.flat.currency };
  }
  return { rate_ppm: null, flat_minor: null, currency: rule.kind === 'tiered' ? rule.currency : null };
}

function bigintOrNull(value: number | undefined): bigint | null {
  return value === undefined ? null : BigInt(value);
}
