import { MICROS_PER_DAY, type Instant } from '../../core/time.js';

/** Whole days past due, as accountants group them: `0` is not due yet, or for less than a day. */
export const AGES = ['0', '1-30', '31-60', '61-90', '90+'] as const;
export type Age = (typeof AGES)[number];

/** From so many days past due on; in the order of `AGES`. */
const FROM_DAYS = [0, 1, 31, 61, 91] as const;

export function daysPastDue(dueAt: Instant, asOf: Instant): number {
  return asOf <= dueAt ? 0 : Number((asOf - dueAt) / MICROS_PER_DAY);
}

export function ageOf(days: number): Age {
  return AGES[FROM_DAYS.findLastIndex((from) => days >= from)] ?? '0';
}

/** Due dates in an age are after `after`, and not after `until`; null is without end. */
export function dueWithin(age: Age, asOf: Instant): { after: Instant | null; until: Instant | null } {
  const place = AGES.indexOf(age);
  const next = FROM_DAYS[place + 1];
  return {
    after: next === undefined ? null : asOf - BigInt(next) * MICROS_PER_DAY,
    until: place === 0 ? null : asOf - BigInt(FROM_DAYS[place] ?? 0) * MICROS_PER_DAY,
  };
}
