import { table } from './tables.js';
import type { LeadScore } from './scores.js';

/** The scorecard as rows: one integer points table that SQL and the API read alike. */
export const SCORE_TABLES = {
  catalog_score_model: table(
    {
      model_version: 'text',
      base_points: 'bigint',
      half_life_days: 'bigint',
      minimum: 'bigint',
      maximum: 'bigint',
      horizon_days: 'bigint',
      is_assumed: 'boolean',
    },
    ({ leadScore }) =>
      leadScore === undefined
        ? []
        : [
            {
              model_version: leadScore.modelVersion,
              base_points: BigInt(leadScore.basePoints),
              half_life_days: BigInt(leadScore.halfLifeDays),
              minimum: BigInt(leadScore.minimum),
              maximum: BigInt(leadScore.maximum),
              horizon_days: BigInt(leadScore.horizonDays),
              is_assumed: isScoreAssumed(leadScore),
            },
          ],
  ),

  /** A rule of several values is several rows with `eq`, since a field has one value: no list to split in SQL. */
  catalog_score_rules: table(
    {
      rule_id: 'text',
      part: 'text',
      feature: 'text',
      operator: 'text',
      field: 'text',
      value: 'text',
      points: 'bigint',
      max_points: 'bigint',
    },
    ({ leadScore }) => (leadScore === undefined ? [] : [...fitRows(leadScore), ...engagementRows(leadScore)]),
  ),

  catalog_score_grades: table({ part: 'text', grade: 'text', min_points: 'bigint' }, ({ leadScore }) =>
    Object.entries(leadScore?.grades ?? {}).flatMap(([part, grades]) =>
      Object.entries(grades).map(([grade, points]) => ({ part, grade, min_points: BigInt(points) })),
    ),
  ),

  catalog_score_bands: table({ band: 'text', min_score: 'bigint', lifecycle: 'text' }, ({ leadScore }) =>
    Object.entries(leadScore?.bands ?? {}).map(([band, { minimumScore, lifecycle }]) => ({
      band,
      min_score: BigInt(minimumScore),
      lifecycle: lifecycle ?? null,
    })),
  ),
};

/** A score is no surer than the least sure line of its scorecard. */
function isScoreAssumed({ assumed, fit, engagement }: LeadScore): boolean {
  return assumed || [...Object.values(fit), ...Object.values(engagement)].some((rule) => rule.assumed);
}

interface RuleRow {
  readonly rule_id: string;
  readonly part: 'fit' | 'engagement';
  readonly feature: string;
  readonly operator: string;
  readonly field: string;
  readonly value: string | null;
  readonly points: bigint;
  readonly max_points: bigint | null;
}

function fitRows({ fit }: LeadScore): RuleRow[] {
  return Object.entries(fit).flatMap(([ruleId, rule]): RuleRow[] => {
    const row = {
      part: 'fit' as const,
      feature: rule.feature,
      field: rule.field,
      points: BigInt(rule.points),
      max_points: null,
    };
    if (rule.operator === 'in') {
      return rule.values.map((value) => ({ ...row, rule_id: `${ruleId}:${value}`, operator: 'eq', value }));
    }
    const value = rule.operator === 'exists' ? null : String(rule.value);
    return [{ ...row, rule_id: ruleId, operator: rule.operator, value }];
  });
}

function engagementRows({ engagement }: LeadScore): RuleRow[] {
  return Object.entries(engagement).map(([ruleId, rule]) => ({
    rule_id: ruleId,
    part: 'engagement',
    feature: rule.feature,
    operator: 'activity',
    field: rule.activity,
    value: null,
    points: BigInt(rule.points),
    max_points: rule.maxPoints === undefined ? null : BigInt(rule.maxPoints),
  }));
}
