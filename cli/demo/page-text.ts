import { formatInstant } from '../../core/time.js';
import {
  showComparator,
  showCount,
  showFigure,
  showMoney,
  showPerOne,
  showPpm,
  showQuantity,
  showSeconds,
  sparkline,
} from '../numbers.js';
import { table } from '../output.js';
import { compareText } from '../../core/compare.js';
import type { DemoBills } from './demo-bills.js';
import type { DemoPage } from './page-data.js';

/** Names behind tokens, for those who may read them. */
export type Names = (token: string | null) => string;

/** Beside what the plan leaves open and the catalog assumes. */
const ASSUMED = ' (assumed)';
const heading = (text: string): string => `\n${text}\n${'─'.repeat(text.length)}`;
const share = (ppm: bigint | null | undefined): string => (ppm == null ? '–' : showPpm(ppm));
const seconds = (value: bigint | null | undefined): string => (value == null ? '–' : showSeconds(value));
const perOrg = (ppm: bigint | null | undefined): string => (ppm == null ? '–' : showPerOne(ppm));

function revenue(page: DemoPage): string {
  const last = page.mrr.at(-1);
  if (last === undefined) return 'no revenue yet';
  const currency = last.currency.replace('reporting:', '');
  const money = (amountMinor: bigint): string => showMoney(amountMinor, currency);
  const first = page.mrr[0]?.month.slice(0, 7) ?? '';
  const bridge: readonly (readonly [string, bigint])[] = [
    ['MRR on the first', last.open_minor],
    ['+ new', last.new_minor],
    ['+ reactivation', last.reactivation_minor],
    ['+ expansion', last.expansion_minor],
    ['− contraction', last.contraction_minor],
    ['− churn', last.churn_minor],
    ['± currency change', last.currency_change_minor],
    ['± exchange rates', last.fx_minor],
    ['= MRR at the close', last.close_minor],
  ];
  return [
    `MRR ${money(last.close_minor)}   ARR ${money(last.arr_minor)}   ${showCount(last.customers_close ?? 0n)} paying customers`,
    `${sparkline(page.mrr.map((month) => month.close_minor))}  ${first} to ${last.month.slice(0, 7)}`,
    `NRR (12 months) ${share(page.retention?.nrr_ppm)}   GRR ${share(page.retention?.grr_ppm)}   logo churn ${share(last.logo_churn_ppm)} in the month`,
    '',
    table(
      [`${last.month.slice(0, 7)}, ${currency}`, ''],
      bridge
        .filter(([label, amount]) => amount !== 0n || label.startsWith('=') || label.startsWith('MRR'))
        .map(([label, amount]) => [label, money(amount)]),
      ['left', 'right'],
    ),
  ].join('\n');
}

function product(page: DemoPage): string {
  const now = page.attach.at(-1);
  const before = page.attach.at(-2);
  const clocks = page.firstValue.map((row) => [
    row.package_id === 'all'
      ? 'all packages'
      : row.package_id === '(org)'
        ? 'activation, from signup'
        : row.package_id,
    showCount(row.installs),
    seconds(row.median_seconds),
    seconds(row.p75_seconds),
    share(row.reached_15m_ppm),
    seconds(row.target_seconds),
  ]);
  const parts: string[] = [];
  if (Object.keys(page.catalog.packages).length > 0) {
    parts.push(
      `Attach rate: ${perOrg(now?.packages_per_org_ppm)} packages per active org (${perOrg(before?.packages_per_org_ppm)} the month before); ${showCount(now?.active_orgs ?? 0n)} active orgs`,
    );
  }
  if (page.attachItems.length > 0) {
    parts.push(
      table(
        ['attached', 'orgs', 'of those that could', 'share'],
        page.attachItems.map((row) => [
          `${row.item_id} (${row.item_kind})`,
          showCount(row.attached_orgs),
          showCount(row.eligible_orgs),
          share(row.attach_ppm),
        ]),
        ['left', 'right', 'right', 'right'],
      ),
    );
  }
  parts.push(
    table(['install to first value', 'installs', 'median', '75% within', 'in 15 min', 'target'], clocks, [
      'left',
      'right',
      'right',
      'right',
      'right',
      'right',
    ]),
  );
  return parts.join('\n\n');
}

function targets(page: DemoPage): string {
  if (page.targets.length === 0) return 'no target can be judged yet';
  return table(
    ['target', 'goal', 'actual', 'trend', 'status', 'owner'],
    page.targets.map((row) => [
      row.target_id,
      `${showComparator(row.comparator)} ${showFigure(row.metric, row.goal, row)}${row.is_assumed ? ASSUMED : ''}`,
      showFigure(row.metric, row.actual, row),
      row.trend === null ? '' : row.trend > 0n ? '▲' : row.trend < 0n ? '▼' : '=',
      row.status,
      `${row.owner ?? '–'}${row.is_owner_assumed ? ASSUMED : ''}`,
    ]),
    ['left', 'right', 'right', 'left', 'left', 'left'],
  );
}

function margins(page: DemoPage, names: Names): string {
  if (page.negative.length === 0) return 'none: every customer pays more than it costs';
  return table(
    ['customer', 'revenue', 'cost of executions', 'margin', 'executions'],
    page.negative.map((row) => [
      `${row.org_id} ${names(row.name)}`.trim(),
      showMoney(row.revenue_minor, row.currency),
      showMoney(row.revenue_minor - row.margin_minor, row.currency),
      showMoney(row.margin_minor, row.currency),
      showCount(row.executions),
    ]),
    ['left', 'right', 'right', 'right', 'right'],
  );
}

function leads(page: DemoPage, names: Names): string {
  return table(
    ['lead', 'grade', 'score', 'owner', 'because'],
    page.leads.map((row) => [
      `${row.lead_id} ${names(row.email)}`.trim(),
      row.grade,
      `${showCount(row.score)}${row.is_assumed ? ASSUMED : ''}`,
      row.owner_id ?? '',
      row.reasons,
    ]),
    ['left', 'left', 'right', 'left', 'left'],
  );
}

function commissions(page: DemoPage): string {
  if (page.commissions.length === 0) return 'none due';
  return table(
    ['partner', 'due', 'lines'],
    page.commissions.map((row) => [
      row.partner_id,
      `${showMoney(row.amount_minor, row.currency)}${row.is_assumed ? ' (assumed rate)' : ''}`,
      showCount(row.lines),
    ]),
    ['left', 'right', 'right'],
  );
}

function overage(page: DemoPage): string {
  const due = page.overage.lines.filter(({ status }) => status === 'due');
  const stopped = page.overage.lines.filter(({ status }) => status === 'stopped').length;
  const total = page.overage.totals
    .map(({ amountMinor, currency }) => showMoney(amountMinor, currency))
    .join(' + ');
  const biggest = due
    .filter(({ adjustment }) => adjustment === null)
    .sort((a, b) => Number((b.amount?.amountMinor ?? 0n) - (a.amount?.amountMinor ?? 0n)))
    .slice(0, 5);
  return [
    `${due.length} lines, ${total === '' ? 'nothing to bill' : total} for periods that ended in ${page.month.slice(0, 7)} (as a preview has it)`,
    ...(stopped > 0 ? [`${stopped} more reached a hard limit, where work pauses and nothing is billed`] : []),
    ...(biggest.length === 0
      ? []
      : [
          table(
            ['customer', 'meter', 'used', 'included', 'over', 'amount'],
            biggest.map((line) => [
              line.orgId,
              line.meterId,
              showQuantity(line.used),
              `${line.included === null ? 'unlimited' : showQuantity(line.included)}${line.isIncludedAssumed ? ASSUMED : ''}`,
              showQuantity(line.overage),
              line.amount === null
                ? ''
                : `${showMoney(line.amount.amountMinor, line.amount.currency)}${line.isAssumed ? ' (assumed price)' : ''}`,
            ]),
            ['left', 'left', 'right', 'right', 'right', 'right'],
          ),
        ]),
  ].join('\n');
}

/** What became of the overage: no ids, which are another company's each time. */
function invoices({ bills, waiting, breaks }: DemoBills): string {
  const final = bills.filter(({ state }) => state === 'finalized');
  const totals = new Map<string, bigint>();
  for (const { currency, totalMinor } of final) {
    totals.set(currency, (totals.get(currency) ?? 0n) + totalMinor);
  }
  const sum = [...totals].sort().map(([currency, amountMinor]) => showMoney(amountMinor, currency));
  const biggest = [...final]
    .sort((a, b) => Number(b.totalMinor - a.totalMinor) || compareText(a.orgId, b.orgId))
    .slice(0, 5);
  return [
    `${final.length} invoices, ${sum.length === 0 ? 'nothing to bill' : sum.join(' + ')}: billed to a Stripe of this machine, where no money moves`,
    breaks === 0
      ? 'reconciled: each is what was rated, one to one, to the cent'
      : `${breaks} BREAKS between what was rated and what stands there`,
    ...(waiting === 0
      ? []
      : [`${waiting} customers owe less than can be charged: it waits for their next bill`]),
    ...(biggest.length === 0
      ? []
      : [
          table(
            ['customer', 'invoice', 'state'],
            biggest.map(({ orgId, totalMinor, currency, state }) => [
              orgId,
              showMoney(totalMinor, currency),
              state,
            ]),
            ['left', 'right', 'left'],
          ),
        ]),
  ].join('\n');
}

/** The page that a founder reads at the end of the demo. */
export function demoText(page: DemoPage, bills: DemoBills, names: Names): string {
  const events = Object.values(page.run.eventCounts ?? {}).reduce((sum, count) => sum + count, 0);
  return [
    `${page.catalog.name}: a simulated company, as of ${formatInstant(page.run.asOf)}`,
    `${showCount(BigInt(events))} events · ${showCount(page.trust?.checks ?? 0n)} tie-outs, ${page.trust?.failing === 0n ? 'all hold' : 'NOT all hold'} · run ${page.run.runId}`,
    heading('Revenue'),
    revenue(page),
    heading('Product'),
    product(page),
    heading('Targets'),
    targets(page),
    heading('Customers that cost more than they pay'),
    margins(page, names),
    heading('Leads to call'),
    leads(page, names),
    heading('Commissions due'),
    commissions(page),
    heading('Overage to bill'),
    overage(page),
    heading('Invoices'),
    invoices(bills),
  ].join('\n');
}
