import type { Row } from './hand-made-run.js';

/*
 * A run small enough to be worked out in the head: what reads marts is held to it, whatever dbt would build.
 */

/** Of `ana@example.com`, once a test has put that into the vault. */
export const TOKEN = 'tok_0123456789abcdef0123456789abcdef';
/** Of somebody who was forgotten. */
const ERASED = 'tok_ffffffffffffffffffffffffffffffff';

/** 23 leads: scores 0 to 7, so that many are equal; the first has a known e-mail, the second an erased one. */
export const LEADS: readonly Row[] = Array.from({ length: 23 }, (_, index) => ({
  lead_id: `lead_${String(index).padStart(2, '0')}`,
  owner_id: index % 2 === 0 ? 'ann' : 'bob',
  created_at: `2026-01-${String((index % 9) + 1).padStart(2, '0')} 10:00:00.5`,
  email: index === 0 ? TOKEN : index === 1 ? ERASED : null,
  fit_points: index % 8,
  engagement_points: 0,
  score: index % 8,
  grade: index % 8 > 5 ? 'A1' : index % 8 > 3 ? 'A2' : 'D4',
  band: 'none',
  model_version: 'v1',
  scored_at: '2026-06-01 00:00:00',
  is_assumed: true,
}));

export const COMMISSIONS: readonly Row[] = Array.from({ length: 12 }, (_, index) => ({
  line_id: `line_${String(index).padStart(2, '0')}`,
  partner_id: index < 8 ? 'p_1' : 'p_2',
  program_id: 'resellers',
  kind: 'earned',
  base_minor: 9_007_199_254_740_993n,
  amount_minor: index === 3 ? -100 : 100 + index,
  currency: 'USD',
  earned_at: `2026-0${(index % 3) + 1}-10 00:00:00`,
  month: `2026-0${(index % 3) + 1}-01`,
  status: index % 2 === 0 ? 'due' : 'held',
  is_assumed: false,
}));

const money = (org_id: string, month: string, currency: string, mrr_minor: number): Row => ({
  org_id,
  month,
  currency,
  plan_id: 'growth',
  segment: 'smb',
  mrr_minor,
  active_installs: 2,
  executions: currency === 'EUR' ? 0 : 7,
  revenue_minor: mrr_minor,
  cost_micros: 5,
  margin_minor: mrr_minor - 1,
});

export const MRR: readonly Row[] = ['2026-01', '2026-02', '2026-03', '2026-04', '2026-05'].flatMap(
  (month, index) => [
    mrrRow(month, 'all', 'all', 1000 * (index + 1)),
    mrrRow(month, 'plan', 'growth', 600 * (index + 1)),
    mrrRow(month, 'plan', 'starter', 400 * (index + 1)),
  ],
);

export function mrrRow(month: string, dimension: string, member: string, close_minor: number): Row {
  return {
    month: `${month}-01`,
    currency: 'USD',
    dimension,
    member,
    close_minor,
    is_complete: month < '2026-05',
  };
}

/** The week of as-of (a Monday) has begun and is not over. */
const WEEKS: readonly Row[] = ['2026-05-25', '2026-06-01'].map((week) => ({
  week,
  package_id: 'leads',
  executions: 7,
  is_complete: week < '2026-06-01',
}));

const TARGETS: readonly Row[] = ['mrr', 'customers'].flatMap((target_id) =>
  ['2026-03-01', '2026-04-01'].map((period) => ({
    target_id,
    period,
    metric: target_id,
    comparator: 'gte',
    goal: 100,
    actual: 90,
    gap: -10,
    status: 'behind',
    unit: 'count',
    is_assumed: true,
    is_owner_assumed: target_id === 'mrr',
    actual_currency: target_id === 'mrr' ? 'USD' : null,
    is_latest: period === '2026-04-01',
  })),
);

export const SMALL_RUN: Readonly<Record<string, readonly Row[]>> = {
  lead_scores: LEADS,
  lead_score_parts: [
    { lead_id: 'lead_07', feature: 'base', part: 'base', value: 'v1', points: 2 },
    { lead_id: 'lead_07', feature: 'size', part: 'fit', value: TOKEN, points: -1 },
    { lead_id: 'lead_07', feature: 'demo_request', part: 'engagement', value: '2', points: 6 },
    { lead_id: 'lead_06', feature: 'base', part: 'base', value: 'v1', points: 5 },
  ],
  commission_lines: COMMISSIONS,
  targets: TARGETS,
  mrr_months: MRR,
  package_weeks: WEEKS,
  int_orgs: ['a', 'b', 'c', 'test'].map((id) => ({
    org_id: `org_${id}`,
    name: id === 'a' ? TOKEN : null,
    segment: id === 'c' ? 'enterprise' : 'smb',
    country: 'DE',
    is_excluded: id === 'test',
  })),
  org_months: [
    money('org_a', '2026-05-01', 'USD', 1200),
    money('org_a', '2026-05-01', 'EUR', 300),
    money('org_a', '2026-04-01', 'USD', 1000),
    money('org_b', '2026-05-01', 'none', 0),
  ],
  int_installs: [
    {
      org_id: 'org_a',
      install_id: 'i1',
      package_id: 'leads',
      created_at: '2026-01-01 00:00:00',
      ended_at: '2026-02-01 00:00:00',
    },
    { org_id: 'org_a', install_id: 'i2', package_id: 'leads', created_at: '2026-03-01 00:00:00' },
  ],
};
