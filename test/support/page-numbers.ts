import { sqlText } from '../../platform/warehouse/duckdb-values.js';
import type { Chosen } from './chosen.js';
import { READ_AS, type Unit } from './words.js';

/*
 * What the pages' figures and tables are, said a second time over what the API answers SQL about: of a page that says otherwise, one of
 * the two is wrong.
 */

export interface CountedFigure {
  /** Below /dashboards. */
  readonly path: string;
  /** By the name of each figure: what it counts. */
  readonly counts: Readonly<Record<string, string>>;
  /** The relation, and of it what is chosen. */
  readonly from: (chosen: Chosen) => string;
}

export interface NumbersTable {
  readonly path: string;
  /** The heading that it stands under… */
  readonly under: RegExp;
  /** …and which one there; 0 where nothing is said. */
  readonly nth?: number;
  /** By what stands above each: the expression that is the cell's value, its unit, and, of money, its currency. */
  readonly columns: Readonly<Record<string, Column>>;
  readonly from: (chosen: Chosen) => string;
  /** How its rows stand one below the other, where that is part of what it says. */
  readonly order?: string;
}

export interface Column {
  readonly value: string;
  readonly unit: Unit | { readonly of: string };
  readonly currency?: string;
  /** What stands before and behind the value: expressions. */
  readonly before?: string;
  readonly behind?: string;
}

const is = (column: string, value: string | undefined): string =>
  value === undefined ? 'true' : `${column} = ${sqlText(value)}`;
const inMonth = (instant: string, month: string | undefined): string =>
  month === undefined ? 'true' : `strftime(${instant}, '%Y-%m') = ${sqlText(month)}`;
/** The month that is chosen, or the last that is over. */
const theMonth = (of: string, month: string | undefined): string =>
  month === undefined ? `month = (select max(month) from ${of} where is_complete)` : inMonth('month', month);
const all = (...conditions: readonly string[]): string => conditions.map((one) => `(${one})`).join(' and ');

const text = (value: string): Column => ({ value, unit: 'text' });
const count = (value: string): Column => ({ value, unit: 'count' });
const quantity = (value: string): Column => ({ value: `cast(${value} as varchar)`, unit: 'quantity' });
const minor = (value: string, currency = 'currency'): Column => ({ value, unit: 'minor', currency });
const micros = (value: string): Column => ({ value, unit: 'micros', currency: 'currency' });
const ppm = (value: string): Column => ({ value, unit: 'ppm' });
const seconds = (value: string): Column => ({ value, unit: 'seconds' });
const instant = (value: string, unit: 'day' | 'month' | 'minute'): Column => ({
  value: `strftime(${value}, '%Y-%m-%d %H:%M')`,
  unit,
});

const leads = ({ month, grade, owner, source }: Chosen): string =>
  `lead_scores where ${all(is('grade', grade), is('owner_id', owner), is('lead_source', source), inMonth('created_at', month))}`;
const commissions = ({ month, partner, status }: Chosen): string =>
  `commission_lines where ${all(is('status', status), is('partner_id', partner), inMonth('month', month))}`;
const invoices = ({ month, currency }: Chosen): string =>
  `ledger_invoices where ${all(is('currency', currency), inMonth('month', month))}`;
const targets = ({ month, owner, phase }: Chosen): string =>
  `targets where ${all(is('owner', owner), is('phase', phase), month === undefined ? 'is_latest' : inMonth('period', month))}`;
const installs = (
  { package: item = 'all', among = 'all' }: Chosen,
  relation: 'first_value_summary' | 'first_value_curve' = 'first_value_summary',
): string => {
  const [kind = '', member = ''] = among.split(':', 2);
  const of = (name: string): string => sqlText(kind === name ? member : 'all');
  return `${relation} where package_id ${item === '*' ? "<> 'all'" : `= ${sqlText(item)}`}
    and plan_id = ${of('plan')} and channel = ${of('channel')} and install_month = ${of('month')}`;
};

export const COUNTED_FIGURES: readonly CountedFigure[] = [
  { path: '', counts: { broken: 'count(*) filter (not holds)' }, from: () => 'tie_outs' },
  {
    path: 'activation',
    counts: { installs: 'max(installs)', censored: 'max(censored)' },
    from: (chosen) => installs(chosen),
  },
  {
    path: 'customers/org',
    counts: { active_installs: 'max(active_installs)', executions: 'max(executions)' },
    from: ({ org }) =>
      `(select * from org_months where org_id = ${sqlText(org ?? '')} and is_complete and not starts_with(currency, 'reporting:')
        order by month desc, mrr_minor desc limit 1)`,
  },
  {
    path: 'sales',
    counts: {
      a_leads: "count(*) filter (grade in ('A1', 'A2', 'A3', 'A4'))",
      leads: 'count(*)',
      nobodys: 'count(*) - count(owner_id)',
    },
    from: leads,
  },
  {
    path: 'partners',
    counts: {
      owed: "count(distinct case when status = 'due' then partner_id end)",
      partners: 'count(distinct partner_id)',
      lines: 'count(*)',
      blocked: "count(*) filter (status = 'blocked')",
    },
    from: commissions,
  },
  {
    path: 'finance',
    counts: {
      invoices: 'count(*)',
      unpaid: 'count(*) filter (unpaid_minor > 0)',
      unreconciled: "count(*) - count(*) filter (reconciliation = 'matched')",
    },
    from: invoices,
  },
  { path: 'finance', counts: { breaks: 'count(*)' }, from: () => 'ledger_breaks' },
  {
    path: 'targets',
    counts: {
      ahead: "count(*) filter (status = 'ahead')",
      on_track: "count(*) filter (status = 'on track')",
      behind: "count(*) filter (status = 'behind')",
      no_data: "count(*) filter (status = 'no data')",
    },
    from: targets,
  },
  {
    path: 'quality',
    counts: { broken: 'count(*) filter (not holds)', sums: 'count(*)' },
    from: () => 'tie_outs',
  },
];

const JUDGED = `case metric ${Object.entries(READ_AS)
  .map(([metric, kind]) => `when ${sqlText(metric)} then ${sqlText(kind)}`)
  .join(' ')} else unit end`;
const GOAL: Column = {
  value: 'goal',
  unit: { of: JUDGED },
  currency: 'currency',
  before: "case comparator when 'gte' then '≥ ' when 'lte' then '≤ ' when 'near' then '≈ ' end",
  behind: "case when is_assumed then ' (assumed)' else '' end",
};
const ACTUAL: Column = { value: 'actual', unit: { of: JUDGED }, currency: 'actual_currency' };
const OWNER = text("owner || case when is_owner_assumed then ' (assumed)' else '' end");
const OF_MEMBER = text("nullif(member, 'all')");

/** `reporting:…` first, as all in one says most. */
const USUAL_CURRENCY =
  "(select currency from mrr_months order by case when starts_with(currency, 'reporting:') then 0 else 1 end, currency limit 1)";
const theCurrency = (currency: string | undefined): string =>
  `currency = ${currency === undefined ? USUAL_CURRENCY : sqlText(currency)}`;

/** The month that is chosen, or the last that is over, as MRR has it. */
const whole = (month: string | undefined): string =>
  month === undefined
    ? 'month = (select max(month) from mrr_months where is_complete)'
    : inMonth('month', month);
const RECENT = 'is_open or period_end > (select as_of from run_info) - interval 100 day';
const MONTH = { Month: instant('month', 'month') };
const MOVEMENTS = [
  ['New', 'new_minor'],
  ['Reactivation', 'reactivation_minor'],
  ['Expansion', 'expansion_minor'],
  ['Contraction', '-contraction_minor'],
  ['Churn', '-churn_minor'],
] as const;
const BRIDGE = [
  ['Open', 'open_minor'],
  ...MOVEMENTS,
  ['Currency', 'currency_change_minor'],
  ['Transfer', 'transfer_minor'],
  ['Rates', 'fx_minor'],
  ['Close', 'close_minor'],
] as const;
/** A row for each of these amounts that there is; `from` ends with a condition. */
const steps = (of: readonly (readonly [name: string, amount: string])[], from: string): string =>
  `(${of.map(([name, amount]) => `select '${name}' as step, month, currency, ${amount} as amount from ${from} and ${amount} is not null`).join(' union all ')})`;
const part = ({ currency, by = 'plan', only }: Chosen): string =>
  all(theCurrency(currency), is('dimension', only === undefined ? 'all' : by), is('member', only ?? 'all'));

export const NUMBERS_TABLES: readonly NumbersTable[] = [
  {
    path: '',
    under: /^Targets/,
    columns: {
      Status: text('status'),
      Metric: text('metric'),
      Of: OF_MEMBER,
      Actual: ACTUAL,
      Goal: GOAL,
      Owner: OWNER,
    },
    from: ({ month }) =>
      `targets where ${all(
        "status in ('ahead', 'on track', 'behind')",
        month === undefined
          ? 'period = (select max(month) from mrr_months where is_complete)'
          : inMonth('period', month),
      )}`,
  },
  {
    path: 'growth',
    under: /^Months/,
    columns: {
      Month: instant('month', 'month'),
      Open: minor('open_minor'),
      New: minor('new_minor'),
      Reactivation: minor('reactivation_minor'),
      Expansion: minor('expansion_minor'),
      Contraction: minor('contraction_minor'),
      Churn: minor('churn_minor'),
      Close: minor('close_minor'),
      Customers: count('customers_close'),
    },
    from: (chosen) => `mrr_months where ${part(chosen)}`,
    order: 'month desc',
  },
  {
    path: 'activation',
    under: /^Packages/,
    columns: {
      Package: text('package_id'),
      Installs: count('installs'),
      Reached: count('reached'),
      'Not yet': count('censored'),
      'Uninstalled first': count('competing'),
      Share: ppm('reached_ppm'),
      Median: seconds('median_seconds'),
      'Three quarters': seconds('p75_seconds'),
      Target: seconds('target_seconds'),
    },
    from: (chosen) => installs({ ...chosen, package: '*' }),
    order: 'installs desc, package_id',
  },
  {
    path: 'packages',
    under: /^Which attaches best/,
    columns: {
      Package: text('item_id'),
      'Could have it': count('eligible_orgs'),
      'Have it': count('attached_orgs'),
      Share: ppm('attach_ppm'),
    },
    from: ({ month, package: item }) =>
      `attach_packages where ${all("item_kind = 'package'", is('item_id', item), theMonth('attach_months', month))}`,
    order: 'attach_ppm desc, item_id',
  },
  {
    path: 'packages',
    under: /^The last whole week of/,
    columns: {
      Package: text('package_id'),
      Executions: count('executions'),
      Completed: count('completed'),
      Failed: count('failed'),
      Canceled: count('canceled'),
      Completion: ppm('completion_ppm'),
      Intervention: ppm('intervention_ppm'),
      'Time saved': seconds('round(saved_minutes * 60)'),
      'Active installs': count('active_installs'),
    },
    from: ({ month, package: item }) =>
      `package_weeks where ${all(
        is('package_id', item),
        `week = (select max(week) from package_weeks where is_complete and date_trunc('month', week) <= ${
          month === undefined
            ? '(select max(month) from attach_months where is_complete)'
            : `cast(${sqlText(`${month}-01`)} as date)`
        })`,
      )}`,
    order: 'executions desc, package_id',
  },
  {
    path: 'customers',
    under: /^Margin,/,
    columns: {
      Currency: text('currency'),
      Customers: count('orgs'),
      Revenue: minor('revenue_minor'),
      Cost: micros('cost_micros'),
      Margin: minor('margin_minor'),
      Share: ppm('margin_ppm'),
      'Sold at a loss': count('negative_orgs'),
    },
    from: ({ month }) => `unit_economics_months where ${theMonth('org_months', month)}`,
  },
  {
    path: 'customers',
    under: /^Who loses us money/,
    columns: {
      Customer: text('org_id'),
      Executions: count('executions'),
      Revenue: minor('revenue_minor'),
      Cost: micros('cost_micros'),
      Margin: minor('margin_minor'),
    },
    from: ({ month, currency }) =>
      `unit_economics_orgs where ${all('margin_minor < 0', is('currency', currency), theMonth('org_months', month))}`,
    order: 'margin_minor, org_id',
  },
  {
    path: 'customers',
    under: /^What packages bring and cost/,
    columns: {
      Package: text('package_id'),
      Revenue: minor('revenue_minor'),
      Cost: micros('cost_micros'),
      'An execution': micros('cost_per_execution_micros'),
      Margin: minor('margin_minor'),
      Share: ppm('margin_ppm'),
    },
    from: ({ month, currency }) =>
      `unit_economics_packages where ${all(is('currency', currency), theMonth('org_months', month))}`,
  },
  {
    path: 'customers',
    under: /^All customers/,
    columns: {
      Customer: text('org_id'),
      Plan: text('plan_id'),
      Segment: text('segment'),
      MRR: minor('mrr_minor'),
      Installs: count('active_installs'),
      Executions: count('executions'),
      Revenue: minor('revenue_minor'),
      Margin: minor('margin_minor'),
    },
    from: ({ month, currency, segment, plan }) =>
      `org_months where ${all("not starts_with(currency, 'reporting:')", is('currency', currency), is('segment', segment), is('plan_id', plan), theMonth('org_months', month))}`,
    order: 'mrr_minor desc, org_id',
  },
  {
    path: 'customers/org',
    under: /^Usage/,
    columns: {
      Meter: text('meter'),
      From: instant('period_start', 'day'),
      To: instant('period_end', 'day'),
      Used: quantity('used'),
      Included: quantity('included'),
      Overage: quantity('overage'),
      Amount: minor('overage_minor'),
      Status: text('status'),
    },
    from: ({ org }) => `usage_periods where ${all(`org_id = ${sqlText(org ?? '')}`, RECENT)}`,
  },
  {
    path: 'customers/org',
    under: /^Invoices/,
    columns: {
      Month: instant('month', 'month'),
      Kind: text('kind'),
      Total: minor('total_minor'),
      State: text('state'),
      Unpaid: minor('unpaid_minor'),
      Reconciliation: text('reconciliation'),
    },
    from: ({ org }) => `ledger_invoices where org_id = ${sqlText(org ?? '')}`,
  },
  {
    path: 'customers/org',
    under: /^Months/,
    columns: {
      Month: instant('month', 'month'),
      Plan: text('plan_id'),
      MRR: minor('mrr_minor'),
      Installs: count('active_installs'),
      Executions: count('executions'),
      Revenue: minor('revenue_minor'),
      Cost: micros('cost_micros'),
      Margin: minor('margin_minor'),
    },
    from: ({ org }) =>
      `org_months where org_id = ${sqlText(org ?? '')} and not starts_with(currency, 'reporting:')`,
    order: 'month desc, currency',
  },
  {
    path: 'sales',
    under: /^Who to call first/,
    columns: {
      Lead: text('lead_id'),
      Grade: text('grade'),
      Score: { value: 'score', unit: 'count', behind: "case when is_assumed then ' (assumed)' else '' end" },
      Fit: count('fit_points'),
      Engagement: count('engagement_points'),
      Source: text('lead_source'),
      Channel: text('channel'),
      Owner: text('owner_id'),
    },
    from: leads,
    order: 'score desc, lead_id',
  },
  {
    path: 'partners',
    under: /^Who is owed what/,
    columns: {
      Partner: text('partner_id'),
      Due: minor('due'),
      Held: minor('held'),
      Blocked: minor('blocked'),
      Lines: count('lines'),
    },
    from: (chosen) =>
      `(select partner_id, currency, count(*) as lines, sum(case when status = 'due' then amount_minor end) as due,
        sum(case when status = 'held' then amount_minor end) as held, sum(case when status = 'blocked' then amount_minor end) as blocked
      from ${commissions(chosen)} group by partner_id, currency)`,
  },
  {
    path: 'partners',
    under: /^Lines/,
    columns: {
      Partner: text('partner_id'),
      Kind: text('kind'),
      Status: text('status'),
      Base: minor('base_minor'),
      Rate: ppm('rate_ppm'),
      Amount: minor('amount_minor'),
      Earned: instant('earned_at', 'day'),
      'Held until': instant('hold_until', 'day'),
      Invoice: text('invoice_id'),
    },
    from: commissions,
    order: 'earned_at desc, line_id',
  },
  {
    path: 'finance',
    under: /^What will be billed/,
    columns: { Currency: text('currency'), Lines: count('lines'), Amount: minor('amount') },
    from: ({ currency }) =>
      `(select currency, count(*) as lines, sum(overage_minor) as amount from usage_periods
        where is_open and overage_minor > 0 and ${is('currency', currency)} group by currency)`,
  },
  {
    path: 'finance',
    under: /^Over what is included/,
    columns: {
      Customer: text('org_id'),
      Meter: text('meter'),
      From: instant('period_start', 'day'),
      To: instant('period_end', 'day'),
      Used: quantity('used'),
      Included: quantity('included'),
      Overage: quantity('overage'),
      Amount: minor('overage_minor'),
      Status: text('status'),
    },
    from: ({ month, currency }) =>
      `usage_periods where ${all('overage_minor > 0', RECENT, is('currency', currency), inMonth('period_end - interval 1 second', month))}`,
    order: 'is_open desc, period_end desc, overage_minor desc, org_id, meter',
  },
  {
    path: 'finance',
    under: /^Invoices/,
    columns: {
      Customer: text('org_id'),
      Month: instant('month', 'month'),
      Kind: text('kind'),
      Total: minor('total_minor'),
      State: text('state'),
      Payment: text('payment'),
      Unpaid: minor('unpaid_minor'),
      Age: text('age'),
      Reconciliation: text('reconciliation'),
    },
    from: invoices,
  },
  {
    path: 'finance',
    under: /^Breaks/,
    columns: { Customer: text('org_id'), Month: instant('month', 'month'), Cause: text('cause') },
    from: () => 'ledger_breaks',
  },
  {
    path: 'finance',
    under: /^Roll-forward/,
    columns: {
      Month: instant('month', 'month'),
      Currency: text('currency'),
      Open: minor('open_minor'),
      'New and back': minor('new_minor + reactivation_minor'),
      Expansion: minor('expansion_minor'),
      Contraction: minor('contraction_minor'),
      Churn: minor('churn_minor'),
      Close: minor('close_minor'),
    },
    from: ({ month, currency }) =>
      `mrr_months where ${all("dimension = 'all'", "not starts_with(currency, 'reporting:')", is('currency', currency), inMonth('month', month))}`,
    order: 'month desc, currency',
  },
  {
    path: 'targets',
    under: /^Against the plan/,
    columns: {
      Status: text('status'),
      Metric: text('metric'),
      Of: OF_MEMBER,
      Actual: ACTUAL,
      Goal: GOAL,
      Gap: { value: 'gap', unit: { of: JUDGED }, currency: 'currency' },
      'Against the month before': { value: 'trend', unit: { of: JUDGED }, currency: 'actual_currency' },
      Phase: text('phase'),
      Cadence: text('cadence'),
      Owner: OWNER,
    },
    from: targets,
  },
  {
    path: 'quality',
    under: /^The run/,
    columns: {
      Run: text('run_id'),
      'As of': instant('as_of', 'minute'),
      Catalog: count('catalog_version'),
      Finished: instant('finished_at', 'minute'),
    },
    from: () => 'run_info',
  },
  {
    path: 'quality',
    under: /^Freshness/,
    columns: {
      Stream: text('stream'),
      Events: count('events_30d'),
      Late: count('late_30d'),
      'Last came in': instant('last_recorded_at', 'minute'),
      'Not in this run': count('not_in_run'),
    },
    from: () => 'ops_freshness',
  },
  {
    path: 'quality',
    under: /^Quarantine/,
    columns: {
      Reason: text('reason'),
      Status: text('status'),
      Events: count('events'),
      Entries: count('entries'),
    },
    from: () => 'ops_quarantine',
  },
  {
    path: 'quality',
    under: /^Tie-outs/,
    columns: { Check: text('"check"'), Sums: count('sums'), 'Do not hold': count('broken') },
    from: ({ check }) =>
      `(select "check", count(*) as sums, count(*) - count(*) filter (holds) as broken from tie_outs where ${is('"check"', check)} group by "check")`,
  },
  {
    path: '',
    under: /^MRR, month by month/,
    columns: { ...MONTH, MRR: minor('close_minor') },
    from: ({ currency }) => `mrr_months where ${all("dimension = 'all'", theCurrency(currency))}`,
    order: 'month desc',
  },
  {
    path: '',
    under: /^Why it changed/,
    nth: 1,
    columns: { ...MONTH, Movement: text('step'), Amount: minor('amount') },
    from: ({ currency }) =>
      steps(MOVEMENTS, `mrr_months where ${all("dimension = 'all'", theCurrency(currency))}`),
  },
  {
    path: '',
    under: /^Which package attaches best/,
    columns: { Package: text('item_id'), Share: ppm('attach_ppm') },
    from: ({ month }) =>
      `(select * from attach_packages where ${all("item_kind = 'package'", whole(month))} order by attach_ppm desc, item_id limit 5)`,
  },
  {
    path: 'growth',
    under: /^From open to close/,
    columns: { Step: text('step'), Amount: minor('amount') },
    from: (chosen) => steps(BRIDGE, `mrr_months where ${all(part(chosen), whole(chosen['month']))}`),
  },
  {
    path: 'growth',
    under: /^MRR by/,
    columns: { ...MONTH, Member: text('member'), MRR: minor('close_minor') },
    from: ({ currency, by = 'plan' }) =>
      `mrr_months where ${all(theCurrency(currency), is('dimension', by))}`,
  },
  {
    path: 'growth',
    under: /^Net and gross retention/,
    columns: {
      ...MONTH,
      Over: text(
        "case window_months when 1 then 'one month' when 3 then 'a quarter' when 12 then 'a year' end",
      ),
      NRR: ppm('nrr_ppm'),
      GRR: ppm('grr_ppm'),
    },
    from: (chosen) => `retention_months where ${all('nrr_ppm is not null', part(chosen))}`,
  },
  {
    path: 'growth',
    under: /^Revenue by stream/,
    columns: { ...MONTH, Stream: text('stream'), Amount: minor('amount_minor') },
    from: ({ currency }) =>
      `revenue_streams where ${all('is_complete', `currency = replace(${currency === undefined ? USUAL_CURRENCY : sqlText(currency)}, 'reporting:', '')`)}`,
  },
  {
    path: 'activation',
    under: /^From install to first value/,
    columns: { Hours: { value: 'seconds', unit: 'hours' }, Reached: ppm('incidence_ppm') },
    from: (chosen) => `${installs(chosen, 'first_value_curve')} and seconds <= 172800`,
    order: 'seconds',
  },
  {
    path: 'activation',
    under: /^Month of install/,
    columns: {
      Month: instant("cast(install_month || '-01' as timestamp)", 'month'),
      Median: seconds('median_seconds'),
    },
    from: ({ package: item = 'all' }) =>
      `first_value_summary where ${all(is('package_id', item), "plan_id = 'all'", "channel = 'all'", "install_month <> 'all'", 'median_seconds is not null')}`,
    order: 'install_month desc',
  },
  {
    path: 'packages',
    under: /^Packages per org/,
    columns: { ...MONTH, 'Packages per org': { value: 'packages_per_org_ppm', unit: 'per one' } },
    from: () => "attach_months where dimension = 'all'",
    order: 'month desc',
  },
  {
    path: 'packages',
    under: /^Executions/,
    columns: {
      Week: instant('week', 'day'),
      Executions: count('executions'),
      Completed: count('completed'),
      Failed: count('failed'),
    },
    from: ({ package: item }) =>
      `(select week, sum(executions) as executions, sum(completed) as completed, sum(failed) as failed
        from package_weeks where ${all('is_complete', is('package_id', item))} group by week)`,
    order: 'week desc',
  },
  {
    path: 'packages',
    under: /^Completion and intervention/,
    columns: {
      Week: instant('week', 'day'),
      Package: text('package_id'),
      Completion: ppm('completion_ppm'),
      Intervention: ppm('intervention_ppm'),
    },
    from: ({ package: item }) => `package_weeks where ${all('is_complete', is('package_id', item))}`,
  },
  {
    path: 'customers/org',
    under: /^MRR, month by month/,
    columns: { ...MONTH, MRR: minor('mrr_minor') },
    from: ({ org }) =>
      `org_months where org_id = ${sqlText(org ?? '')} and not starts_with(currency, 'reporting:')`,
  },
  {
    path: 'sales',
    under: /^Leads by grade/,
    columns: { Grade: text('grade'), Leads: count('leads') },
    from: (chosen) => `(select grade, count(*) as leads from ${leads(chosen)} group by grade)`,
  },
  {
    path: 'partners',
    under: /^What was earned/,
    columns: { ...MONTH, Amount: minor('amount') },
    from: (chosen) =>
      `(select date_trunc('month', earned_at) as month, currency, sum(amount_minor) as amount from ${commissions(chosen)} group by 1, 2)`,
  },
];
