import { InputError, invariant } from './errors.js';
import {
  addDays,
  addMonths,
  compareDates,
  dateInUtc,
  daysSinceEpoch,
  midnightUtc,
  startOfMonth,
  startOfWeek,
  MICROS_PER_DAY,
  MICROS_PER_SECOND,
  type CalendarDate,
  type Instant,
  type Period,
} from './time.js';

/** What a clock on the wall shows: a date and the microseconds since its midnight. */
export interface LocalTime {
  readonly date: CalendarDate;
  readonly microOfDay: bigint;
}

export type IntervalUnit = 'day' | 'week' | 'month' | 'quarter' | 'year';

/** Building a format costs far more than using it, and a program meets few zones. */
const formats = new Map<string, Intl.DateTimeFormat>();
const MAX_FORMATS = 1_000;

/** Whether it is an IANA zone; offsets ("+02:00") are not, because they know no summer. */
export function isZone(zone: string): boolean {
  if (/^[+-]/.test(zone) || zone.length > 60) return false;
  try {
    formatOf(zone);
    return true;
  } catch {
    return false;
  }
}

/** @throws InputError `unknown_zone` */
export function requireZone(zone: string): string {
  if (isZone(zone)) return zone;
  throw new InputError(
    'unknown_zone',
    `"${zone.slice(0, 60)}" is not an IANA time zone; write one like Europe/Berlin`,
  );
}

/** Local time minus UTC at an instant, in microseconds; positive east of Greenwich. */
export function zoneOffset(instant: Instant, zone: string): bigint {
  if (zone === 'UTC') return 0n;
  const fractionOfSecond = ((instant % MICROS_PER_SECOND) + MICROS_PER_SECOND) % MICROS_PER_SECOND;
  const wholeSecond = instant - fractionOfSecond;
  const parts = new Map<string, number>();
  for (const { type, value } of formatOf(zone).formatToParts(Number(wholeSecond / 1000n))) {
    if (type !== 'literal') parts.set(type, Number(value));
  }
  const part = (name: string): number => {
    const value = parts.get(name);
    invariant(value !== undefined, `zoneOffset: Intl must give the ${name}`);
    return value;
  };
  const localDay = daysSinceEpoch({ year: part('year'), month: part('month'), day: part('day') });
  const localSecond = localDay * 86_400 + part('hour') * 3600 + part('minute') * 60 + part('second');
  return BigInt(localSecond) * MICROS_PER_SECOND - wholeSecond;
}

export function localTimeOf(instant: Instant, zone: string): LocalTime {
  const shown = instant + zoneOffset(instant, zone);
  const date = dateInUtc(shown);
  return { date, microOfDay: shown - midnightUtc(date) };
}

export function dateIn(instant: Instant, zone: string): CalendarDate {
  return localTimeOf(instant, zone).date;
}

/**
 * The instant at which a wall clock shows the local time. Shown twice (clocks went back): the first.
 * Never shown (clocks went forward): as much later as the clocks jumped, as java.time does.
 */
export function instantOf({ date, microOfDay }: LocalTime, zone: string): Instant {
  const shown = midnightUtc(date) + microOfDay;
  const before = zoneOffset(shown - MICROS_PER_DAY, zone);
  const after = zoneOffset(shown + MICROS_PER_DAY, zone);
  if (before === after) return shown - before;
  const first = shown - before;
  if (zoneOffset(first, zone) === before) return first;
  const second = shown - after;
  return zoneOffset(second, zone) === after ? second : first;
}

/**
 * The first instant of a day in a zone. Not always 00:00: where clocks go forward at midnight the day begins at
 * 01:00, and a day that a zone skipped (Samoa's 30 December 2011) begins and ends at once.
 */
export function startOfDay(date: CalendarDate, zone: string): Instant {
  const midnight = instantOf({ date, microOfDay: 0n }, zone);
  const shown = localTimeOf(midnight, zone);
  if (shown.microOfDay === 0n && compareDates(shown.date, date) === 0) return midnight;

  // Midnight fell into a gap; the day begins where the gap ends. Transitions are at whole seconds.
  let low = midnight - MICROS_PER_DAY * 2n;
  let high = midnight + MICROS_PER_DAY;
  while (high - low > MICROS_PER_SECOND) {
    const middle = low + ((high - low) / MICROS_PER_SECOND / 2n) * MICROS_PER_SECOND;
    if (compareDates(dateIn(middle, zone), date) < 0) low = middle;
    else high = middle;
  }
  return high;
}

/** The local day that an instant falls on, as a period. */
export function dayOf(instant: Instant, zone: string): Period {
  const date = dateIn(instant, zone);
  return { start: startOfDay(date, zone), end: startOfDay(addDays(date, 1), zone) };
}

/** The local week, Monday to Monday. */
export function weekOf(instant: Instant, zone: string): Period {
  const monday = startOfWeek(dateIn(instant, zone));
  return { start: startOfDay(monday, zone), end: startOfDay(addDays(monday, 7), zone) };
}

/** The local calendar month. */
export function monthOf(instant: Instant, zone: string): Period {
  const first = startOfMonth(dateIn(instant, zone));
  return { start: startOfDay(first, zone), end: startOfDay(addMonths(first, 1), zone) };
}

/** The same wall-clock time `count` units after the anchor, counted from the anchor and not chained. */
export function addIntervals(anchor: Instant, count: number, unit: IntervalUnit, zone: string): Instant {
  const { date, microOfDay } = localTimeOf(anchor, zone);
  return instantOf({ date: addIntervalsToDate(date, count, unit), microOfDay }, zone);
}

/**
 * The subscription period that holds an instant: periods of `intervalCount` units laid end to end from the
 * anchor, in both directions. Anchored on the 31st, they fall on each month's last day and return to the 31st.
 */
export function periodFromAnchor(
  anchor: Instant,
  step: { readonly unit: IntervalUnit; readonly count: number },
  instant: Instant,
  zone: string,
): Period & { readonly index: number } {
  invariant(
    Number.isInteger(step.count) && step.count > 0,
    'periodFromAnchor: the count must be a positive integer',
  );
  const border = (index: number): Instant => addIntervals(anchor, index * step.count, step.unit, zone);
  // No unit is longer than this many days, so from the estimate the period sought is a few steps away.
  const longestDays = { day: 1, week: 7, month: 31, quarter: 92, year: 366 }[step.unit] * step.count;
  const elapsed = Number((instant - anchor) / MICROS_PER_DAY);
  let index = Math.floor(elapsed / longestDays) - 1;
  if (elapsed < 0) index = Math.floor(elapsed / shortestDays(step)) - 1;
  // A zone may have skipped a whole day (Samoa's 30 December 2011), so the estimate can lie on either side.
  while (border(index) > instant) index -= 1;
  while (border(index + 1) <= instant) index += 1;
  return { index, start: border(index), end: border(index + 1) };
}

function shortestDays({ unit, count }: { unit: IntervalUnit; count: number }): number {
  return { day: 1, week: 7, month: 28, quarter: 89, year: 365 }[unit] * count;
}

function addIntervalsToDate(date: CalendarDate, count: number, unit: IntervalUnit): CalendarDate {
  switch (unit) {
    case 'day':
      return addDays(date, count);
    case 'week':
      return addDays(date, count * 7);
    case 'month':
      return addMonths(date, count);
    case 'quarter':
      return addMonths(date, count * 3);
    case 'year':
      return addMonths(date, count * 12);
  }
}

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    // Intl takes "EUROPE/berlin" too; without a bound, spellings that callers send would fill the memory.
    if (formats.size >= MAX_FORMATS) formats.clear();
    formats.set(zone, format);
  }
  return format;
}
