import type { OverageLine } from '../../billing/overage-plan.js';
import type { RatedUsage } from '../../billing/overage-run/overage-run.js';
import { derivedId } from '../../core/ids.js';
import type { Money } from '../../core/money.js';
import { addMonths, formatDate, midnightUtc, parseDate, type Period } from '../../core/time.js';
import { sha256 } from '../../platform/sha256.js';
import { dueLine } from '../support/due-line.js';

const FIRST_MONTH = parseDate('2020-01-01');
/** One that Stripe counts without cents among them. */
const CURRENCIES = ['USD', 'EUR', 'JPY'];
/** Above what Stripe charges at least, in each of the currencies. */
const LEAST_MINOR = 100;
const MOST_ORGS = 100;

export const METERS: readonly string[] = ['calls', 'tokens', 'pages'];

export function orgIds(count: number): string[] {
  return Array.from({ length: count }, (_, place) => `org_${place}`);
}

export interface KilledMonth {
  /** Its first day. */
  readonly month: string;
  readonly ending: Period;
}

export function monthAt(index: number): KilledMonth {
  const first = addMonths(FIRST_MONTH, index);
  const next = addMonths(FIRST_MONTH, index + 1);
  return { month: formatDate(first), ending: { start: midnightUtc(first), end: midnightUtc(next) } };
}

export function currencyOf(org: number): string {
  return CURRENCIES[org % CURRENCIES.length] ?? '';
}

/** No two are the same: what stands in another's place is seen by its amount alone. */
export function owed(index: number, org: number, meter: number): Money {
  const place = (index * MOST_ORGS + org) * METERS.length + meter;
  return { amountMinor: BigInt(LEAST_MINOR + place), currency: currencyOf(org) };
}

export function usageOf(index: number, orgs: number): RatedUsage {
  return {
    runId: 'run_1',
    watermark: { executions: [], installs: [], billing: [], crm: [] },
    lines: () => Promise.resolve(linesOf(index, orgs)),
    // A life also goes on with what an earlier one left of another month.
    again: (_runId, month) => Promise.resolve(linesOf(indexOf(month), orgs)),
    lateUsage: () => 'credit_note',
  };
}

function linesOf(index: number, orgs: number): OverageLine[] {
  const { month, ending } = monthAt(index);
  return orgIds(orgs).flatMap((orgId, org) =>
    METERS.map((meterId, meter) => {
      const amount = owed(index, org, meter);
      const lineId = derivedId('ovl', [orgId, meterId, month], sha256);
      return { ...dueLine(orgId, meterId, amount.amountMinor, ending), lineId, amount };
    }),
  );
}

function indexOf(date: string): number {
  const { year, month } = parseDate(date);
  return (year - FIRST_MONTH.year) * 12 + month - FIRST_MONTH.month;
}
