import type { Period } from '../../core/time.js';
import { fraction, NONE, over, plus, rounded, times, type Fraction } from './fraction.js';
import { amountIn, changeAt, thingsOf, type Sub } from './overage-holdings.js';
import { holderOf, ownerOf, type Reading } from './overage-readings.js';

/*
 * Levels, plainly: time is cut wherever anything of any subscription changes, and for each piece everything that was ever told is
 * looked at again.
 */

const DIGITS = 10n ** 12n;

export interface LevelQuestion {
  readonly sub: Sub;
  /** All of the org, this one too. */
  readonly subs: readonly Sub[];
  readonly period: Period & { readonly whole: Period };
  readonly meterId: string;
  /** Of the meter and the org, of all time, in the order of events. */
  readonly readings: readonly Reading[];
  /** Stretches for which allowances were bought. */
  readonly grants: readonly (Period & { readonly change: Sub['changes'][number] })[];
}

interface Answer {
  readonly used: Fraction;
  readonly overage: Fraction;
  readonly events: readonly string[];
}

/** Pieces of the period in which the subscription answers for some usage of the meter, with what counts in each, up to its end. */
function piecesOf({ sub, subs, period, meterId, readings }: LevelQuestion) {
  const borders = [
    period.start,
    period.end,
    ...subs.flatMap(({ changes }) =>
      changes.flatMap(({ from, trialEnd }) => (trialEnd === null ? [from] : [from, trialEnd])),
    ),
  ].filter((at) => at >= period.start && at <= period.end);
  const sorted = [...new Set(borders)].sort((a, b) => Number(a - b));
  return sorted.slice(0, -1).flatMap((start, index) => {
    const end = sorted[index + 1] ?? period.end;
    const packages = ['', ...thingsOf(changeAt(sub, start), meterId).flatMap((thing) => thing.packages)];
    if (!packages.some((id) => holderOf(subs, id, meterId, start)?.sub === sub)) return [];
    const counted = readings.filter(
      ({ at, told }) => at < end && ownerOf(subs, told, meterId, start) === sub,
    );
    return [{ start, end, counted }];
  });
}

/** As it stands where the last piece ends, against what is allowed there. */
export function latestLevel(question: LevelQuestion): Answer {
  const last = piecesOf(question).at(-1);
  const reading = last?.counted.at(-1);
  if (last === undefined || reading === undefined) return { used: NONE, overage: NONE, events: [] };
  const { sub, meterId } = question;
  const limits = thingsOf(changeAt(sub, last.start), meterId).map((thing) =>
    amountIn(thing, thing.product.allowances[meterId]),
  );
  const limit = limits.reduce((sum, one) => (sum === null || one === null ? null : plus(sum, one)), NONE);
  return {
    used: reading.quantity,
    overage: limit === null ? NONE : over(reading.quantity, limit),
    events: [reading.event],
  };
}

/** Level × time, against allowance × time, both of a whole period. */
export function weightedLevel(question: LevelQuestion): Answer {
  const { period, meterId, grants } = question;
  const { whole } = period;
  const share = (start: bigint, end: bigint) => fraction(end - start, whole.end - whole.start);
  let used = NONE;
  const events = new Set<string>();
  for (const { start, end, counted } of piecesOf(question)) {
    counted.forEach(({ at, quantity, event }, index) => {
      const from = at > start ? at : start;
      const next = counted[index + 1]?.at ?? end;
      const to = next < end ? next : end;
      if (from >= to) return;
      used = plus(used, times(quantity, share(from, to)));
      events.add(event);
    });
  }
  let allowed: Fraction | null = NONE;
  for (const grant of grants) {
    for (const thing of thingsOf(grant.change, meterId)) {
      const allowance = thing.product.allowances[meterId];
      const amount = amountIn(thing, allowance);
      if (amount === null) allowed = null;
      if (allowed !== null && amount !== null) {
        allowed = plus(allowed, times(amount, share(grant.start, grant.end)));
      }
    }
  }
  // What is over is rounded once, to twelve digits, before money is made of it.
  const overage = allowed === null ? NONE : over(used, allowed);
  return {
    used,
    overage: fraction(rounded(times(overage, fraction(DIGITS))), DIGITS),
    events: [...events].sort(),
  };
}
