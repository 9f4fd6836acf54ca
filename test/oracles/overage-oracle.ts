import { z } from 'zod';
import type { Catalog } from '../../core/catalog.js';
import { currencyExponent } from '../../core/money.js';
import { addIntervals, dayOf } from '../../core/calendar.js';
import type { Instant, Period } from '../../core/time.js';
import { fraction, less, NONE, over, plus, rounded, times, type Fraction } from './fraction.js';
import { latestLevel, weightedLevel } from './overage-levels.js';
import { ownerOf, readingOf, type Reading } from './overage-readings.js';
import {
  amountIn,
  changeAt,
  decimal,
  isBilled,
  readSubscriptions,
  thingsOf,
  type Change,
  type Kind,
  type Product,
  type RuledFrom,
  type Sub,
  type Thing,
} from './overage-holdings.js';
import type { StandingEvent } from './standing-events.js';

/*
 * Overage worked out a second time, plainly: event by event, each asking who held what at its own instant, in exact fractions. For
 * periods of a month.
 */

export interface ExpectedLine {
  readonly orgId: string;
  readonly subscriptionId: string;
  readonly meterId: string;
  readonly start: Instant;
  readonly end: Instant;
  readonly status: 'due' | 'stopped' | 'unpriced';
  readonly used: Fraction;
  readonly overage: Fraction;
  readonly amountMinor: bigint | null;
  readonly currency: string;
  /** `source id` of the events counted. */
  readonly events: readonly string[];
}

const Org = z.looseObject({ flags: z.array(z.string()).nullish() });

/** Every line over its allowance, of the periods that end in `ending` and by `asOf`. */
export function expectedOverage(
  events: readonly StandingEvent[],
  versions: readonly RuledFrom[],
  ending: Period,
  asOf: Instant,
): ExpectedLine[] {
  const excluded = new Map<string, boolean>();
  for (const { type, subject, data } of events) {
    if (type !== 'org.upserted') continue;
    const flags = Org.parse(data).flags ?? [];
    excluded.set(subject, flags.includes('test') || flags.includes('internal'));
  }
  const subs = readSubscriptions(events, versions).filter(({ orgId }) => excluded.get(orgId) !== true);
  const executions = new Map<string, StandingEvent[]>();
  for (const event of events) {
    if (!/^(execution|usage|session|install)[.]/.test(event.type)) continue;
    const before = executions.get(event.subject);
    if (before === undefined) executions.set(event.subject, [event]);
    else before.push(event);
  }
  const [first] = versions;
  if (first === undefined) return [];
  const { zone, meters } = first.catalog;
  return subs.flatMap((sub) =>
    periodsOf(sub, ending, zone)
      .filter(({ end }) => end <= asOf)
      .flatMap((period) =>
        Object.entries(meters).flatMap(([meterId, meter]) => {
          const rivals = subs.filter(({ orgId }) => orgId === sub.orgId);
          const isLevel = meter.aggregation === 'latest' || meter.aggregation === 'time_weighted';
          const told = (executions.get(sub.orgId) ?? [])
            .filter(({ at }) => at < period.end && (isLevel || at >= period.start))
            .flatMap((event) => readingOf(event, meterId, meter) ?? []);
          return lineOf({ sub, subs: rivals, period, meterId, meter, told, zone });
        }),
      ),
  );
}

interface Month extends Period {
  /** Longer than the period where it began or ended inside it. */
  readonly whole: Period;
}

function periodsOf({ anchors }: Sub, ending: Period, zone: string): Month[] {
  const moves = anchors.filter(({ anchor }, index) => anchor !== anchors[index - 1]?.anchor);
  return moves.flatMap(({ since, anchor }, index) => {
    const until = moves[index + 1]?.since;
    // The month of 31 days at most that is sought lies within two of where an average month would put it.
    const near = Math.round(Number((ending.start - anchor) / 2_629_746_000_000n));
    return [-2, -1, 0, 1, 2].flatMap((step): Month[] => {
      const whole = {
        start: addIntervals(anchor, near + step, 'month', zone),
        end: addIntervals(anchor, near + step + 1, 'month', zone),
      };
      const start = whole.start < since ? since : whole.start;
      const end = until !== undefined && until < whole.end ? until : whole.end;
      return start < end && end > ending.start && end <= ending.end ? [{ start, end, whole }] : [];
    });
  });
}

/** Stretches of a period in which nothing changes, the billed ones. */
function billedParts(sub: Sub, period: Period): { start: Instant; end: Instant; change: Change }[] {
  const borders = [
    period.start,
    ...sub.changes.flatMap(({ from, trialEnd }) => (trialEnd === null ? [from] : [from, trialEnd])),
    period.end,
  ].filter((at) => at >= period.start && at <= period.end);
  const sorted = [...new Set(borders)].sort((a, b) => Number(a - b));
  return sorted.slice(0, -1).flatMap((start, index) => {
    const change = changeAt(sub, start);
    const end = sorted[index + 1] ?? period.end;
    return change !== undefined && isBilled(change, start) ? [{ start, end, change }] : [];
  });
}

interface LineQuestion {
  readonly sub: Sub;
  readonly subs: readonly Sub[];
  readonly period: Month;
  readonly meterId: string;
  readonly meter: Catalog['meters'][string];
  readonly told: readonly Reading[];
  readonly zone: string;
}

function usedBy({ sub, subs, period, meterId, meter, told, zone }: LineQuestion) {
  const billed = billedParts(sub, period);
  const grants = billed.map((part, index) => ({ ...part, end: billed[index + 1]?.start ?? period.end }));
  const level = { sub, subs, period, meterId, readings: told, grants };
  if (meter.aggregation === 'latest') return latestLevel(level);
  if (meter.aggregation === 'time_weighted') return weightedLevel(level);
  const readings = told.filter(
    (one) =>
      one.at >= period.start && one.at < period.end && ownerOf(subs, one.told, meterId, one.at) === sub,
  );
  const events = readings.map(({ event }) => event).sort();
  if (meter.aggregation === 'max') return { ...highest(sub, meterId, readings), events };
  return { ...flowOver(grants, period, meterId, meter, readings, zone), events };
}

function lineOf(question: LineQuestion): ExpectedLine[] {
  const { sub, period, meterId } = question;
  const parts = billedParts(sub, period).filter(({ change }) => thingsOf(change, meterId).length > 0);
  if (parts.length === 0) return [];
  const { used, overage, events } = usedBy(question);
  if (overage.num <= 0n) return [];
  const currency = billedParts(sub, period).at(-1)?.change.currency ?? '';
  return [
    {
      orgId: sub.orgId,
      subscriptionId: sub.id,
      meterId,
      start: period.start,
      end: period.end,
      used,
      overage,
      currency,
      events,
      ...moneyOf(
        parts.map(({ change }) => thingsOf(change, meterId)),
        meterId,
        currency,
        overage,
      ),
    },
  ];
}

function highest(sub: Sub, meterId: string, readings: readonly Reading[]) {
  let worst = { used: NONE, overage: NONE };
  for (const { at, quantity } of readings) {
    const limits = thingsOf(changeAt(sub, at), meterId).map((thing) =>
      amountIn(thing, thing.product.allowances[meterId]),
    );
    const limit = limits.reduce((sum, one) => (sum === null || one === null ? null : plus(sum, one)), NONE);
    const overage = limit === null ? NONE : over(quantity, limit);
    if (less(worst.overage, overage)) worst = { used: quantity, overage };
  }
  return worst;
}

function flowOver(
  grants: readonly (Period & { readonly change: Change })[],
  period: Month,
  meterId: string,
  { aggregation }: Catalog['meters'][string],
  all: readonly Reading[],
  zone: string,
) {
  const bought = (stretch: Period, whole: Period, isDaily: boolean): Fraction | null => {
    let sum = NONE;
    for (const { start, end, change } of grants) {
      const from = start > stretch.start ? start : stretch.start;
      const to = end < stretch.end ? end : stretch.end;
      if (from >= to) continue;
      const share = fraction(to - from, whole.end - whole.start);
      for (const thing of thingsOf(change, meterId)) {
        const allowance = thing.product.allowances[meterId];
        if ((allowance?.per === 'day') !== isDaily) continue;
        const amount = amountIn(thing, allowance);
        if (amount === null) return null;
        sum = plus(sum, times(amount, share));
      }
    }
    return sum;
  };
  const total = (list: readonly Reading[]) => list.reduce((sum, { quantity }) => plus(sum, quantity), NONE);
  const firstDaily = grants.find(({ change }) =>
    thingsOf(change, meterId).some(({ product }) => product.allowances[meterId]?.per === 'day'),
  )?.start;
  const bucketOf = (at: Instant) =>
    firstDaily === undefined || at < firstDaily ? 'period' : dayOf(at, zone).start;
  const readings = aggregation === 'unique' ? firstOfEach(all, bucketOf) : all;
  let rest = firstDaily === undefined ? total(readings) : total(readings.filter(({ at }) => at < firstDaily));
  for (let at = firstDaily ?? period.end; at < period.end;) {
    const { end } = dayOf(at, zone);
    const day = { start: at, end: end < period.end ? end : period.end };
    const used = total(readings.filter((reading) => reading.at >= day.start && reading.at < day.end));
    rest = plus(rest, over(used, bought(day, day, true) ?? used));
    at = end;
  }
  const included = bought(period, period.whole, false);
  return { used: total(readings), overage: included === null ? NONE : over(rest, included) };
}

/** Of each value the first, bucket by bucket. */
function firstOfEach(readings: readonly Reading[], bucketOf: (at: Instant) => unknown): readonly Reading[] {
  const seen = new Set<string>();
  return readings.filter(({ at, value }) => {
    const key = `${String(bucketOf(at))} ${value ?? ''}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

const KINDS: readonly Kind[] = ['plan', 'bundle', 'package', 'addon'];

function moneyOf(parts: readonly (readonly Thing[])[], meterId: string, currency: string, overage: Fraction) {
  const isHard = ({ product }: Thing) => product.stopPolicy?.default === 'hard';
  for (const things of [...parts].reverse()) {
    const offers = things
      .filter((thing) => !isHard(thing))
      .map((thing) => ({ thing, unit: unitPrice(thing.product.overage[meterId], currency) }))
      .flatMap(({ thing, unit }) => (unit === null ? [] : [{ thing, unit }]))
      .sort((a, b) => {
        const kinds = KINDS.indexOf(a.thing.kind) - KINDS.indexOf(b.thing.kind);
        return kinds || (less(a.unit, b.unit) ? -1 : less(b.unit, a.unit) ? 1 : 0);
      });
    const [best] = offers;
    if (best !== undefined) {
      const minor = times(times(best.unit, overage), fraction(10n ** BigInt(currencyExponent(currency))));
      return { status: 'due' as const, amountMinor: rounded(minor) };
    }
  }
  const status = parts.flat().some(isHard) ? ('stopped' as const) : ('unpriced' as const);
  return { status, amountMinor: null };
}

function unitPrice(price: Product['overage'][string] | undefined, currency: string): Fraction | null {
  if (price?.model !== 'per_unit' && price?.model !== 'per_block') return null;
  const offered = [price, ...price.otherCurrencies].find((one) => one.currency === currency);
  if (offered === undefined) return null;
  const block = price.model === 'per_block' ? decimal(price.block) : fraction(1n);
  return times(decimal(offered.amount), fraction(block.den, block.num));
}
