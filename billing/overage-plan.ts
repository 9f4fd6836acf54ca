import type { Catalog } from '../core/catalog.js';
import { compareText } from '../core/compare.js';
import { formatDecimal, normalize, parseDecimal, type Decimal } from '../core/decimal.js';
import { derivedId } from '../core/ids.js';
import type { HashHex } from '../core/identity.js';
import type { Money } from '../core/money.js';
import { formatInstant, type Period } from '../core/time.js';
import { meteredPeriods, periodsEnding, type MeteredPeriod } from './metered-periods.js';
import { meterProblem, type UsageWindow, type WindowTotal } from './metered-usage.js';
import { overageOf, priceIn, rateOverage, type UsageKind } from './rate-overage.js';
import type { Subscription } from './subscription-timeline.js';

/** A period to rate, with the windows in which its usage is counted. */
export interface OverageQuestion {
  readonly lineId: string;
  readonly metered: MeteredPeriod;
  readonly windows: readonly UsageWindow[];
}

/**
 * One line of the plan: `due` would be billed; `stopped` is over a hard limit, where work pauses instead; `unpriced` and `unrated`
 * are over and can't be billed, and say why.
 */
export interface OverageLine {
  readonly lineId: string;
  readonly orgId: string;
  readonly subscriptionId: string;
  readonly meterId: string;
  readonly period: Period;
  readonly used: string;
  readonly included: string | null;
  readonly overage: string;
  readonly events: number;
  readonly status: 'due' | 'stopped' | 'unpriced' | 'unrated';
  readonly reason: string | null;
  readonly amount: Money | null;
  /** The price is assumed: the plan behind the catalog names none. */
  readonly isAssumed: boolean;
}

export interface OveragePlan {
  readonly lines: readonly OverageLine[];
  /** Money due, by currency. */
  readonly totals: readonly Money[];
}

/** Which usage to read: every meter of every subscription period that ends inside `ending`. */
export function overageQuestions(
  catalog: Catalog,
  subscriptions: readonly Subscription[],
  ending: Period,
  md5: HashHex,
): OverageQuestion[] {
  const metered = subscriptions.flatMap((subscription) =>
    periodsEnding(catalog, subscription, ending).flatMap((period) =>
      meteredPeriods(catalog, subscription, period),
    ),
  );
  return usageQuestions(metered, md5);
}

/** Which usage to read for these periods. All that may share an org's usage must be among them. */
export function usageQuestions(metered: readonly MeteredPeriod[], md5: HashHex): OverageQuestion[] {
  return metered.map((one) => questionOf(one, metered, md5));
}

function questionOf(metered: MeteredPeriod, all: readonly MeteredPeriod[], md5: HashHex): OverageQuestion {
  const { orgId, subscriptionId, meterId, start, end } = metered;
  const lineId = derivedId(
    'ovl',
    [orgId, subscriptionId, meterId, formatInstant(start), formatInstant(end)],
    md5,
  );
  const rivals = all.filter(
    (other) =>
      other.orgId === orgId &&
      other.meterId === meterId &&
      other.subscriptionId !== subscriptionId &&
      other.start < end &&
      other.end > start,
  );
  const isMain = rivals.every((rival) => ranksBefore(metered, rival));
  const own = packagesOf(metered);
  return {
    lineId,
    metered,
    windows: metered.windows.map((window, index) => ({
      start: window.start,
      end: window.end,
      windowId: `${lineId}:${index}`,
      orgId,
      meterId,
      skipsOwnKey: metered.skipsOwnKey,
      otherPackages: rivals.flatMap(packagesOf).filter((id) => !own.includes(id)),
      onlyPackages: isMain ? null : own,
    })),
  };
}

/**
 * No event is counted by two subscriptions: usage of a package belongs to the one that holds it, and all other usage to the org's
 * main one: with a plan before without, then the one whose period began first, then by id.
 */
function ranksBefore(a: MeteredPeriod, b: MeteredPeriod): boolean {
  const hasPlan = (one: MeteredPeriod) => one.scopes.some(({ kind }) => kind === 'plan');
  if (hasPlan(a) !== hasPlan(b)) return hasPlan(a);
  if (a.start !== b.start) return a.start < b.start;
  return compareText(a.subscriptionId, b.subscriptionId) < 0;
}

function packagesOf({ scopes }: MeteredPeriod): string[] {
  return scopes.filter(({ kind }) => kind === 'package').map(({ id }) => id);
}

/** Rates what was used. Pure: the same books give the same plan, line by line in the same order. */
export function planOverage(
  catalog: Catalog,
  questions: readonly OverageQuestion[],
  usage: ReadonlyMap<string, WindowTotal>,
): OveragePlan {
  const lines = rateUsage(catalog, questions, usage).filter((line) => line.overage !== '0');
  return { lines, totals: totalsOf(lines) };
}

/** The same for all usage, also where it is within what is included. */
export function rateUsage(
  catalog: Catalog,
  questions: readonly OverageQuestion[],
  usage: ReadonlyMap<string, WindowTotal>,
): OverageLine[] {
  return questions
    .map((question) => lineOf(catalog, question, usage))
    .sort((a, b) => compareText(a.orgId, b.orgId) || compareText(a.lineId, b.lineId));
}

function lineOf(
  catalog: Catalog,
  { lineId, metered, windows }: OverageQuestion,
  usage: ReadonlyMap<string, WindowTotal>,
): OverageLine {
  const rated = overageOf(
    windows.map(({ windowId }, index) => ({
      used: parseDecimal(usage.get(windowId)?.used ?? '0'),
      included: metered.windows[index]?.included ?? null,
    })),
    kindOf(catalog, metered),
  );
  const line = {
    lineId,
    orgId: metered.orgId,
    subscriptionId: metered.subscriptionId,
    meterId: metered.meterId,
    period: { start: metered.start, end: metered.end },
    used: formatDecimal(normalize(rated.used)),
    included: rated.included === null ? null : formatDecimal(normalize(rated.included)),
    overage: formatDecimal(normalize(rated.overage)),
    events: windows.reduce((sum, { windowId }) => sum + (usage.get(windowId)?.events ?? 0), 0),
  };
  return { ...line, ...priced(catalog, metered, rated.overage) };
}

function kindOf(catalog: Catalog, metered: MeteredPeriod): UsageKind {
  if (metered.isDaily) return 'daily';
  return catalog.meters[metered.meterId]?.aggregation === 'max' ? 'level' : 'flow';
}

type Priced = Pick<OverageLine, 'status' | 'reason' | 'amount' | 'isAssumed'>;

function priced(catalog: Catalog, metered: MeteredPeriod, overage: Decimal): Priced {
  const none = { amount: null, isAssumed: false };
  const meter = catalog.meters[metered.meterId];
  const problem = meter === undefined ? 'the catalog has no such meter' : meterProblem(meter);
  if (problem !== null) return { status: 'unrated', reason: problem, ...none };
  const seller = metered.scopes.find(({ sold }) => sold.overage[metered.meterId] !== undefined);
  const price = seller?.sold.overage[metered.meterId];
  if (metered.scopes.some(({ sold }) => sold.stopPolicy?.default === 'hard')) {
    return {
      status: 'stopped',
      reason: 'a hard stop: work pauses at the limit and nothing is billed',
      ...none,
    };
  }
  if (price === undefined) {
    return { status: 'unpriced', reason: 'the catalog has no overage price for this meter here', ...none };
  }
  const found = priceIn(price, metered.currency);
  if (!found.ok) return { status: 'unpriced', reason: found.reason, ...none };
  return { status: 'due', reason: null, amount: rateOverage(found, overage), isAssumed: found.isAssumed };
}

function totalsOf(lines: readonly OverageLine[]): Money[] {
  const byCurrency = new Map<string, bigint>();
  for (const { amount } of lines) {
    if (amount === null) continue;
    byCurrency.set(amount.currency, (byCurrency.get(amount.currency) ?? 0n) + amount.amountMinor);
  }
  return [...byCurrency]
    .sort(([a], [b]) => compareText(a, b))
    .map(([currency, amountMinor]) => ({ currency, amountMinor }));
}
