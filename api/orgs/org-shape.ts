import { z } from '@hono/zod-openapi';
import { Count, Digits } from '../shapes.js';

/** What an org has in one currency in a month. */
export const OrgMoney = z.object({
  currency: z.string(),
  mrr_minor: Digits,
  revenue_minor: Digits,
  cost_micros: Digits,
  margin_minor: Digits,
});

/** A customer org as it stood at the last month's close, or at the run's as-of where that month is not over. */
export const Org = z
  .object({
    org_id: z.string(),
    name: z.string().nullable(),
    segment: z.string(),
    country: z.string(),
    parent_org_id: z.string().nullable(),
    plan_id: z.string(),
    active_installs: Count,
    executions: Count,
    money: z.array(OrgMoney),
  })
  .openapi('Org');

/** A row of an org and, where it has one, of one currency of the month. */
export const OrgRow = z.object({
  org_id: z.string(),
  name: z.string().nullable(),
  segment: z.string(),
  country: z.string(),
  parent_org_id: z.string().nullable(),
  month: z.string().nullable(),
  plan_id: z.string(),
  active_installs: z.bigint(),
  executions: z.bigint(),
  currency: z.string().nullable(),
  mrr_minor: z.bigint(),
  revenue_minor: z.bigint(),
  cost_micros: z.bigint(),
  margin_minor: z.bigint(),
});
export type OrgRow = z.output<typeof OrgRow>;

/** Columns of `OrgRow` from `orgs` (a choice of int_orgs) and `months` (org_months). */
export const ORG_COLUMNS = `
  orgs.org_id, orgs.name, orgs.segment, orgs.country, orgs.parent_org_id, cast(months.month as varchar) as month,
  coalesce(months.plan_id, 'none') as plan_id, coalesce(months.active_installs, 0) as active_installs,
  coalesce(months.executions, 0) as executions, months.currency, coalesce(months.mrr_minor, 0) as mrr_minor,
  coalesce(months.revenue_minor, 0) as revenue_minor, coalesce(months.cost_micros, 0) as cost_micros,
  coalesce(months.margin_minor, 0) as margin_minor`;

/** Rows of one org, one per currency, as one org. */
export function orgOf(rows: readonly [OrgRow, ...OrgRow[]]): z.input<typeof Org> {
  const [first] = rows;
  return {
    org_id: first.org_id,
    name: first.name,
    segment: first.segment,
    country: first.country,
    parent_org_id: first.parent_org_id,
    plan_id: first.plan_id,
    active_installs: first.active_installs,
    executions: rows.reduce((sum, { executions }) => sum + executions, 0n),
    money: rows.flatMap(moneyOf),
  };
}

/** `none` is the mart's word for an org without money. */
export function moneyOf(row: OrgRow): z.input<typeof OrgMoney>[] {
  if (row.currency === null || row.currency === 'none') return [];
  const { currency, mrr_minor, revenue_minor, cost_micros, margin_minor } = row;
  return [{ currency, mrr_minor, revenue_minor, cost_micros, margin_minor }];
}
