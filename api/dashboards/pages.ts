import { allows, type Scope } from '../../platform/key-scopes.js';

/** What the engine in the browser is given: one SELECT over a run's marts, or over what billing's ledger says now. */
export interface DashboardTable {
  readonly sql: string;
  /** Who may have it. */
  readonly needs: Scope;
  /** `run`: the same for ever. `now`: made when it is asked for. */
  readonly of: 'run' | 'now';
}

const table = (needs: Scope, sql: string, of: DashboardTable['of'] = 'run'): DashboardTable => ({
  needs,
  sql,
  of,
});
const whole = (mart: string): string => `select * from ${mart}`;

/**
 * Margins tell what a customer is worth, so they need what invoices need. Decimals go as text: a page shows digits, and a float would
 * bend them. Nobody's address is among the columns: a page names a lead as the CRM does.
 */
export const DASHBOARD_TABLES = {
  run_info: table('metrics:read', 'select run_id, as_of, catalog_version, finished_at from run_info'),
  tie_outs: table('metrics:read', whole('tie_outs')),
  targets: table('metrics:read', whole('targets')),
  mrr_months: table('metrics:read', whole('mrr_months')),
  retention_months: table('metrics:read', whole('retention_months')),
  revenue_streams: table('metrics:read', whole('revenue_streams')),
  attach_months: table('metrics:read', whole('attach_months')),
  attach_packages: table('metrics:read', whole('attach_packages')),
  package_weeks: table('metrics:read', whole('package_weeks')),
  first_value_summary: table('metrics:read', whole('first_value_summary')),
  first_value_curve: table('metrics:read', whole('first_value_curve')),
  unit_economics_months: table('billing:read', whole('unit_economics_months')),
  unit_economics_orgs: table('billing:read', whole('unit_economics_orgs')),
  unit_economics_packages: table('billing:read', whole('unit_economics_packages')),
  org_months: table('billing:read', whole('org_months')),
  lead_scores: table(
    'leads:read',
    `select lead_id, org_id, company_id, lead_source, channel, lead_status, owner_id, created_at, fit_points, engagement_points, score, grade,
       band, model_version, scored_at, is_assumed
     from lead_scores`,
  ),
  lead_score_parts: table('leads:read', whole('lead_score_parts')),
  commission_lines: table(
    'partners:read',
    `select line_id, month, partner_id, program_id, rule_id, org_id, invoice_id, payment_id, kind, base_minor, rate_ppm, flat_minor,
       amount_minor, currency, earned_at, hold_until, status, reason, is_assumed
     from commission_lines`,
  ),
  usage_periods: table(
    'billing:read',
    `select line_id, org_id, subscription_id, meter, period_start, period_end, is_open, cast(used as varchar) as used,
       cast(included as varchar) as included, cast(overage as varchar) as overage, overage_minor, currency, stop_policy, status, events
     from usage_periods`,
  ),
  ledger_invoices: table('billing:read', whole('ledger_invoices'), 'now'),
  ledger_breaks: table('billing:read', whole('ledger_breaks'), 'now'),
  ops_quarantine: table('metrics:read', whole('ops_quarantine'), 'now'),
  ops_freshness: table('metrics:read', whole('ops_freshness'), 'now'),
} as const satisfies Readonly<Record<string, DashboardTable>>;

export type DashboardTableName = keyof typeof DASHBOARD_TABLES;

/** A page of the dashboards: what it reads decides who may open it. */
export interface DashboardPage {
  /** Below /dashboards; '' is the first. */
  readonly path: string;
  readonly title: string;
  /** Those that it reads, and pages below it. */
  readonly tables: readonly DashboardTableName[];
}

/** In the order of the navigation. A test holds the pages' own SQL to these tables. */
export const DASHBOARD_PAGES: readonly DashboardPage[] = [
  {
    path: '',
    title: 'Overview',
    tables: [
      'mrr_months',
      'retention_months',
      'first_value_summary',
      'attach_months',
      'attach_packages',
      'targets',
      'tie_outs',
    ],
  },
  {
    path: 'growth',
    title: 'Growth',
    tables: ['mrr_months', 'retention_months', 'revenue_streams', 'targets'],
  },
  { path: 'activation', title: 'Activation', tables: ['first_value_summary', 'first_value_curve'] },
  {
    path: 'packages',
    title: 'Packages',
    tables: ['package_weeks', 'attach_packages', 'attach_months', 'targets'],
  },
  {
    path: 'customers',
    title: 'Customers',
    tables: [
      'org_months',
      'unit_economics_months',
      'unit_economics_orgs',
      'unit_economics_packages',
      'usage_periods',
      'ledger_invoices',
    ],
  },
  { path: 'sales', title: 'Sales', tables: ['lead_scores', 'lead_score_parts'] },
  { path: 'partners', title: 'Partners', tables: ['commission_lines'] },
  {
    path: 'finance',
    title: 'Finance',
    tables: ['mrr_months', 'usage_periods', 'ledger_invoices', 'ledger_breaks'],
  },
  { path: 'targets', title: 'Targets', tables: ['targets'] },
  { path: 'definitions', title: 'Definitions', tables: [] },
  {
    path: 'quality',
    title: 'Data quality',
    tables: ['run_info', 'tie_outs', 'ops_freshness', 'ops_quarantine'],
  },
];

const TABLE_NAMES = Object.keys(DASHBOARD_TABLES) as DashboardTableName[];

export const tableNamed = (name: string): DashboardTableName | undefined =>
  TABLE_NAMES.find((known) => known === name);

/** The page that a path belongs to; one below another (one org of all) belongs to that. */
export const pageAt = (path: string): DashboardPage | undefined =>
  DASHBOARD_PAGES.find((page) => page.path === path.split('/', 1)[0]);

/** A page without tables says what numbers mean: for whoever may read some. */
export const neededFor = ({ tables }: DashboardPage): readonly Scope[] =>
  tables.length === 0 ? ['metrics:read'] : [...new Set(tables.map((name) => DASHBOARD_TABLES[name].needs))];

export const pagesFor = (scopes: readonly Scope[]): readonly DashboardPage[] =>
  DASHBOARD_PAGES.filter((page) => neededFor(page).every((scope) => allows(scopes, scope)));
