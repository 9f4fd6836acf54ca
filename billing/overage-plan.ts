import { compareText } from '../core/compare.js';
import type { Meter } from '../core/catalog/usage.js';
import { addDecimals, formatDecimal, parseDecimal, ZERO, type Decimal } from '../core/decimal.js';
import { derivedId } from '../core/ids.js';
import type { HashHex } from '../core/identity.js';
import type { Money } from '../core/money.js';
import { formatInstant, isWithin, type Instant, type Period } from '../core/time.js';
import { periodsEnding, periodsIn, type BillingPeriod } from './billing-periods.js';
import type { CatalogAt } from './catalog-versions.js';
import { allowanceLevels, allowedByTime, type Bucket } from './allowance-levels.js';
import { heldPeriods, isIncludedAssumed, type HeldPeriod } from './held-periods.js';
import { meterProblem } from './meter-readings.js';
import type { UsageWindow, WindowTotal } from './metered-usage.js';
import {
  NOTHING_CHOSEN,
  overageTerms,
  type OverageTerms,
  type StopChoice,
  type StopPolicy,
} from './overage-terms.js';
import { overageOfFlow, overageOfLevel, overageOfTime, type RatedUsage } from './measure-overage.js';
import { rateOverage } from './overage-price.js';
import { routeUsage, type RoutedWindow } from './route-usage.js';
import type { Subscription } from './subscription-timeline.js';
import type { Adjustment } from './adjustments/adjustment.js';

/** A metered period to rate, with the windows in which its usage is counted. */
export interface OverageQuestion {
  readonly lineId: string;
  readonly metered: HeldPeriod;
  readonly levels: readonly (readonly Bucket[])[];
  readonly windows: readonly (UsageWindow & RoutedWindow)[];
  /** What the org chose for when its limits are reached: each that was in force while it was billed, the last one last. */
  readonly choices: readonly StopChoice[];
  /** Why its usage can't be counted; null when it can. */
  readonly problem: string | null;
}

/**
 * One line of the plan: `due` would be billed; `within` is not over; `stopped` is over a hard limit, where work pauses and
 * nothing is billed; `unpriced` and `unrated` can't be billed, and say why.
 */
export interface OverageLine {
  readonly lineId: string;
  readonly orgId: string;
  readonly subscriptionId: string;
  readonly meterId: string;
  readonly period: Period;
  /** Digits, as `included` and `overage`; `included` null is without limit. */
  readonly used: string;
  readonly included: string | null;
  readonly overage: string;
  readonly events: number;
  /** Of these events: core/event-set.ts. */
  readonly eventDigest: string;
  readonly status: 'due' | 'within' | 'stopped' | 'unpriced' | 'unrated';
  readonly reason: string | null;
  readonly amount: Money | null;
  /** The price is assumed: the plan behind the catalog names none. */
  readonly isAssumed: boolean;
  /** Some of what is included is assumed. */
  readonly isIncludedAssumed: boolean;
  readonly stopPolicy: StopPolicy;
  /** The version that price and stop policy are from; null where nothing was held any more. */
  readonly catalogVersion: bigint | null;
  /** Null: it is usage. Else what it adds to what usage comes to, or takes off; quantities are 0 then. */
  readonly adjustment: Adjustment | null;
}

/** Something of it is what the catalog assumes: nobody has agreed to it yet. */
export function isGuess({ isAssumed, isIncludedAssumed }: OverageLine): boolean {
  return isAssumed || isIncludedAssumed;
}

export interface OveragePlan {
  readonly lines: readonly OverageLine[];
  /** Money due, by currency. */
  readonly totals: readonly Money[];
}

/** What a plan of overages is made from, besides the usage itself. */
export interface OverageBooks {
  readonly subscriptions: readonly Subscription[];
  readonly catalogAt: CatalogAt;
  readonly md5: HashHex;
  /** What an org chose for a meter. Absent: nobody chose anything. */
  readonly choicesIn?: ChoicesIn | undefined;
}

/** All that was in force at some time of a period, oldest first; never none. */
export type ChoicesIn = (orgId: string, meterId: string, period: Period) => readonly StopChoice[];

/**
 * Which usage to read: every meter of every subscription period that ends inside `ending`, and is over by `asOf`: a period that
 * still runs is nobody's to bill.
 */
export function overageQuestions(books: OverageBooks, ending: Period, asOf: Instant): OverageQuestion[] {
  return questionsOf(books, (subscription) =>
    periodsEnding(subscription, ending, books.catalogAt).filter(({ end }) => end <= asOf),
  );
}

/** The same for the subscription periods that `periodsOf` picks. */
export function questionsOf(
  { subscriptions, catalogAt, md5, choicesIn }: OverageBooks,
  periodsOf: (subscription: Subscription) => readonly BillingPeriod[],
): OverageQuestion[] {
  const byOrg = new Map<string, Subscription[]>();
  for (const subscription of subscriptions) {
    byOrg.set(subscription.orgId, [...(byOrg.get(subscription.orgId) ?? []), subscription]);
  }
  return subscriptions.flatMap((subscription) => {
    const others = (byOrg.get(subscription.orgId) ?? []).filter((other) => other !== subscription);
    return periodsOf(subscription).flatMap((period) => {
      const rivals = others.flatMap((other) =>
        periodsIn(other, period, catalogAt).flatMap((theirs) => heldPeriods(other, theirs, catalogAt)),
      );
      return heldPeriods(subscription, period, catalogAt).flatMap((metered) =>
        questionOf(
          metered,
          rivals.filter(({ meterId }) => meterId === metered.meterId),
          { md5, choicesIn },
        ),
      );
    });
  });
}

function questionOf(
  metered: HeldPeriod,
  rivals: readonly HeldPeriod[],
  { md5, choicesIn }: Pick<OverageBooks, 'md5' | 'choicesIn'>,
): OverageQuestion[] {
  const { orgId, subscriptionId, meterId, meter, start, end, holdings } = metered;
  const billed = holdings.filter(({ isBillable }) => isBillable);
  if (billed.length === 0) return [];
  const lineId = derivedId(
    'ovl',
    [orgId, subscriptionId, meterId, formatInstant(start), formatInstant(end)],
    md5,
  );
  const problem = metered.problem ?? meterProblem(meter);
  const levels = isLevel(meter) ? [] : allowanceLevels(metered);
  const windows = problem === null ? routeUsage(metered, rivals, levels.flat()) : [];
  return [
    {
      lineId,
      metered,
      levels,
      choices: billed.flatMap((held) => choicesIn?.(orgId, meterId, held) ?? NOTHING_CHOSEN),
      problem,
      windows: windows.map((window, index) => ({
        ...window,
        windowId: `${lineId}:${index}`,
        lineId,
        bucketId: bucketOf(window, lineId, levels),
        orgId,
        meterId,
        meter,
        skipsOwnKey: window.holding.skipsOwnKey,
      })),
    },
  ];
}

/** What is set against allowances as it stands or stood, and not as it adds up. */
function isLevel({ aggregation }: Meter): boolean {
  return aggregation === 'max' || aggregation === 'latest' || aggregation === 'time_weighted';
}

/** Whose allowance a window's usage is set against first. */
function bucketOf({ start }: Period, lineId: string, levels: readonly (readonly Bucket[])[]): string {
  const places = levels.map((buckets) => buckets.findIndex((bucket) => isWithin(start, bucket)));
  const level = places.findIndex((place) => place >= 0);
  return `${lineId}:${level}:${places[level] ?? ''}`;
}

/** Rates what was used. Pure: the same books give the same plan, line by line in the same order. */
export function planOverage(
  questions: readonly OverageQuestion[],
  usage: ReadonlyMap<string, WindowTotal>,
): OveragePlan {
  return planOf(rateUsage(questions, usage));
}

/** Of lines that are rated: what of them would be billed. */
export function planOf(rated: readonly OverageLine[]): OveragePlan {
  const lines = rated.filter(({ status }) => status !== 'within');
  return { lines, totals: totalsOf(lines) };
}

/** The same for all usage, also where it is within what is included. */
export function rateUsage(
  questions: readonly OverageQuestion[],
  usage: ReadonlyMap<string, WindowTotal>,
): OverageLine[] {
  return questions.map((question) => lineOf(question, usage)).sort(inOrder);
}

export function inOrder(a: OverageLine, b: OverageLine): number {
  return compareText(a.orgId, b.orgId) || compareText(a.lineId, b.lineId);
}

function lineOf(question: OverageQuestion, usage: ReadonlyMap<string, WindowTotal>): OverageLine {
  const { lineId, metered, windows } = question;
  const rated = ratedUsage(question, usage);
  // What a choice let through is billed, though another one follow: usage was let through while it was in force.
  const terms = overageTerms(metered, question.choices);
  return {
    lineId,
    orgId: metered.orgId,
    subscriptionId: metered.subscriptionId,
    meterId: metered.meterId,
    period: { start: metered.start, end: metered.end },
    used: formatDecimal(rated.used),
    included: rated.included === null ? null : formatDecimal(rated.included),
    overage: formatDecimal(rated.overage),
    events: windows.reduce((sum, { windowId }) => sum + (usage.get(windowId)?.events ?? 0), 0),
    eventDigest: windows
      .reduce((sum, { windowId }) => sum + (usage.get(windowId)?.eventDigest ?? 0n), 0n)
      .toString(),
    isIncludedAssumed: isIncludedAssumed(metered),
    stopPolicy: terms.stop,
    catalogVersion: terms.soldUnder?.version ?? null,
    adjustment: null,
    ...priced(question, terms, rated.overage),
  };
}

/** What a question's usage comes to, before any money. */
export function ratedUsage(
  { metered, levels, windows }: OverageQuestion,
  usage: ReadonlyMap<string, WindowTotal>,
): RatedUsage {
  const held = windows.map((window) => ({
    start: window.start,
    end: window.end,
    used: usedIn(window, usage),
    limit: window.holding.limit,
  }));
  switch (metered.meter.aggregation) {
    case 'max':
      return overageOfLevel(held);
    case 'latest':
      // As it stands where the last window ends: no other was read.
      return overageOfLevel(held.filter((_, index) => index === lastRead(windows, usage)));
    case 'time_weighted':
      return overageOfTime(
        held.reduce((sum, { used }) => addDecimals(sum, used), ZERO),
        allowedByTime(metered),
        metered.billing.whole,
      );
    default:
      return overageOfFlow(held, levels);
  }
}

function lastRead(windows: readonly UsageWindow[], usage: ReadonlyMap<string, WindowTotal>): number {
  const last = windows.findLastIndex(({ windowId }) => usage.has(windowId));
  return last < 0 ? windows.length - 1 : last;
}

export function usedIn({ windowId }: UsageWindow, usage: ReadonlyMap<string, WindowTotal>): Decimal {
  const total = usage.get(windowId);
  return total === undefined ? ZERO : parseDecimal(total.used);
}

type Priced = Pick<OverageLine, 'status' | 'reason' | 'amount' | 'isAssumed'>;

function priced({ problem, metered }: OverageQuestion, { price }: OverageTerms, overage: Decimal): Priced {
  const none = { reason: null, amount: null, isAssumed: false };
  if (problem !== null) return { ...none, status: 'unrated', reason: problem };
  if (overage.unscaled === 0n) {
    return { ...none, status: 'within', amount: { amountMinor: 0n, currency: metered.currency } };
  }
  if (price === null) {
    const reason = 'a hard stop: work pauses at the limit and nothing is billed';
    return { ...none, status: 'stopped', reason };
  }
  if (!price.ok) return { ...none, status: 'unpriced', reason: price.reason };
  return {
    status: 'due',
    reason: null,
    amount: rateOverage(price, overage),
    isAssumed: price.isAssumed,
  };
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
