import { z } from 'zod';
import { soleVersion } from '../../billing/catalog-versions.js';
import { previewOverage } from '../../billing/preview-overage.js';
import type { OverageLine } from '../../billing/overage-plan.js';
import { startOfDay } from '../../core/calendar.js';
import type { Catalog } from '../../core/catalog.js';
import type { Money } from '../../core/money.js';
import { addMonths, dateInUtc, formatDate, startOfMonth, type Period } from '../../core/time.js';
import type { RunReader } from '../../platform/warehouse/warehouse.js';
import type { Run } from '../../transforms/run-store.js';

const Digits = z.union([z.bigint(), z.number().int()]).transform(BigInt);
const MaybeDigits = Digits.nullable();

const MrrMonth = z.object({
  month: z.string(),
  currency: z.string(),
  open_minor: Digits,
  new_minor: Digits,
  reactivation_minor: Digits,
  expansion_minor: Digits,
  contraction_minor: Digits,
  churn_minor: Digits,
  currency_change_minor: Digits,
  fx_minor: Digits,
  close_minor: Digits,
  arr_minor: Digits,
  customers_close: MaybeDigits,
  logo_churn_ppm: MaybeDigits,
  quick_ratio_ppm: MaybeDigits,
});
const Retention = z.object({ nrr_ppm: MaybeDigits, grr_ppm: MaybeDigits });
const Attach = z.object({ month: z.string(), active_orgs: Digits, packages_per_org_ppm: MaybeDigits });
const AttachItem = z.object({
  item_kind: z.string(),
  item_id: z.string(),
  attached_orgs: Digits,
  eligible_orgs: Digits,
  attach_ppm: MaybeDigits,
});
const FirstValue = z.object({
  package_id: z.string(),
  installs: Digits,
  median_seconds: MaybeDigits,
  p75_seconds: MaybeDigits,
  reached_15m_ppm: MaybeDigits,
  target_seconds: MaybeDigits,
});
const Target = z.object({
  target_id: z.string(),
  metric: z.string(),
  comparator: z.string(),
  goal: Digits,
  actual: MaybeDigits,
  trend: MaybeDigits,
  status: z.string(),
  unit: z.string(),
  currency: z.string().nullable(),
  owner: z.string().nullable(),
  is_assumed: z.boolean(),
  is_owner_assumed: z.boolean(),
});
const Negative = z.object({
  org_id: z.string(),
  name: z.string().nullable(),
  currency: z.string(),
  revenue_minor: Digits,
  cost_micros: Digits,
  margin_minor: Digits,
  executions: Digits,
});
const Lead = z.object({
  lead_id: z.string(),
  email: z.string().nullable(),
  owner_id: z.string().nullable(),
  score: Digits,
  grade: z.string(),
  is_assumed: z.boolean(),
});
const LeadPart = z.object({ lead_id: z.string(), feature: z.string(), points: Digits });
const Commission = z.object({
  partner_id: z.string(),
  currency: z.string(),
  status: z.string(),
  amount_minor: Digits,
  lines: Digits,
  is_assumed: z.boolean(),
});
const Trust = z.object({ checks: Digits, failing: Digits });

/** Everything that the demo's page shows, as numbers. */
export interface DemoPage {
  readonly catalog: Catalog;
  readonly run: Run;
  readonly month: string;
  readonly mrr: readonly z.output<typeof MrrMonth>[];
  readonly retention: z.output<typeof Retention> | undefined;
  readonly attach: readonly z.output<typeof Attach>[];
  readonly attachItems: readonly z.output<typeof AttachItem>[];
  readonly firstValue: readonly z.output<typeof FirstValue>[];
  readonly targets: readonly z.output<typeof Target>[];
  readonly negative: readonly z.output<typeof Negative>[];
  readonly leads: readonly (z.output<typeof Lead> & { readonly reasons: string })[];
  readonly commissions: readonly z.output<typeof Commission>[];
  readonly overage: { readonly lines: readonly OverageLine[]; readonly totals: readonly Money[] };
  readonly trust: z.output<typeof Trust> | undefined;
}

/** What the page is about, and the subscription periods that ended in it. */
export function demoMonth(catalog: Catalog, run: Run): { readonly month: string; readonly ending: Period } {
  // The last month that is over, seen from the instant measured.
  const firstOfNext = startOfMonth(dateInUtc(run.asOf));
  const monthDate = addMonths(firstOfNext, -1);
  const ending = { start: startOfDay(monthDate, catalog.zone), end: startOfDay(firstOfNext, catalog.zone) };
  return { month: formatDate(monthDate), ending };
}

/** Reads the page from one run. Money of all currencies together is in the reporting currency. */
export async function readDemoPage(catalog: Catalog, run: Run, reader: RunReader): Promise<DemoPage> {
  const r = reader.relation;
  const { month, ending } = demoMonth(catalog, run);
  const mrr = await reader.query(
    `select ${Object.keys(MrrMonth.shape).join(', ')} from ${r}.mrr_months
     where dimension = 'all' and is_complete
       and currency = (select currency from ${r}.mrr_months where dimension = 'all' and customers_close is not null limit 1)
     order by month`,
    {},
    MrrMonth,
  );
  const currency = mrr.at(-1)?.currency ?? '';
  const [retention] = await reader.query(
    `select nrr_ppm, grr_ppm from ${r}.retention_months
     where dimension = 'all' and window_months = 12 and currency = $currency and month = cast($month as date)`,
    { currency, month },
    Retention,
  );
  return {
    catalog,
    run,
    month,
    mrr,
    retention,
    ...(await readProduct(reader, month)),
    ...(await readPeople(reader, month)),
    overage: await previewOverage(reader, { catalogs: soleVersion(catalog), ending, asOf: run.asOf }),
  };
}

async function readProduct(reader: RunReader, month: string) {
  const r = reader.relation;
  return {
    attach: await reader.query(
      `select month, active_orgs, packages_per_org_ppm from ${r}.attach_months
       where dimension = 'all' and is_complete order by month`,
      {},
      Attach,
    ),
    attachItems: await reader.query(
      `select item_kind, item_id, attached_orgs, eligible_orgs, attach_ppm from ${r}.attach_packages
       where month = cast($month as date) and attached_orgs > 0 order by attach_ppm desc, item_kind, item_id limit 5`,
      { month },
      AttachItem,
    ),
    firstValue: await reader.query(
      `select package_id, installs, median_seconds, p75_seconds, reached_15m_ppm, target_seconds from ${r}.first_value_summary
       where plan_id = 'all' and channel = 'all' and install_month = 'all'
       order by case when package_id = 'all' then 0 else 1 end, installs desc, package_id limit 6`,
      {},
      FirstValue,
    ),
    targets: await reader.query(
      `select target_id, metric, comparator, goal, actual, trend, status, unit, currency, owner, is_assumed, is_owner_assumed from ${r}.targets
       where is_latest and status <> 'no data' order by status desc, target_id`,
      {},
      Target,
    ),
    negative: await reader.query(
      `select economics.org_id, orgs.name, economics.currency, economics.revenue_minor, economics.cost_micros,
         economics.margin_minor, economics.executions
       from ${r}.unit_economics_orgs as economics
       left join ${r}.int_orgs as orgs on orgs.org_id = economics.org_id
       where economics.month = cast($month as date) and economics.is_negative
       order by economics.margin_minor, economics.org_id limit 5`,
      { month },
      Negative,
    ),
  };
}

async function readPeople(reader: RunReader, month: string) {
  const r = reader.relation;
  const [trust] = await reader.query(
    `select count(*) as checks, sum(case when holds then 0 else 1 end) as failing from ${r}.tie_outs`,
    {},
    Trust,
  );
  return {
    leads: await readLeads(reader),
    commissions: await reader.query(
      `select partner_id, currency, status, cast(sum(paid.amount_minor) as bigint) as amount_minor, count(*) as lines,
         max(paid.is_assumed) as is_assumed
       from ${r}.commission_lines as paid where month <= cast($month as date) and status = 'due'
       group by partner_id, currency, status
       order by sum(paid.amount_minor) desc, partner_id, currency limit 6`,
      { month },
      Commission,
    ),
    trust,
  };
}

/** The best open leads, each with what gave it most of its points. */
async function readLeads(reader: RunReader) {
  const r = reader.relation;
  const leads = await reader.query(
    `select lead_id, email, owner_id, score, grade, is_assumed from ${r}.lead_scores
     where lead_status is null or lead_status not in ('converted', 'disqualified', 'lost')
     order by score desc, lead_id limit 5`,
    {},
    Lead,
  );
  const names = leads.map((_lead, index) => `$lead${index}`);
  const parts = await reader.query(
    `select lead_id, feature, points from ${r}.lead_score_parts
     where lead_id in (${names.join(', ') || "''"}) and points >= 10 and feature <> 'base'
     order by points desc, feature`,
    Object.fromEntries(leads.map(({ lead_id: id }, index) => [`lead${index}`, id])),
    LeadPart,
  );
  return leads.map((lead) => ({
    ...lead,
    reasons: parts
      .filter(({ lead_id: id }) => id === lead.lead_id)
      .map(({ feature, points }) => `${feature} +${points}`)
      .join(', '),
  }));
}
