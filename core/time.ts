import { InputError, invariant } from './errors.js';

/** Microseconds since 1970-01-01T00:00:00Z. Everything that happened is one of these. */
export type Instant = bigint;

/** A day of the proleptic Gregorian calendar, in no zone. */
export interface CalendarDate {
  readonly year: number;
  /** 1 to 12 */
  readonly month: number;
  /** 1 to 31 */
  readonly day: number;
}

/** Half-open: `start` belongs to it, `end` does not. */
export interface Period {
  readonly start: Instant;
  readonly end: Instant;
}

export const MICROS_PER_SECOND = 1_000_000n;
export const MICROS_PER_DAY = 86_400n * MICROS_PER_SECOND;

/** Both engines hold these years exactly (ClickHouse's DateTime64 ends with 2299). */
export const MIN_YEAR = 1900;
export const MAX_YEAR = 2299;

/**
 * RFC 3339's profile with upper-case T and Z, which is what both engines read too.
 * An offset is required: a local time without one is not an instant.
 */
export const INSTANT_PATTERN =
  /^(\d{4})-(\d{2})-(\d{2})T([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,9}))?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))$/;
export const DATE_PATTERN = /^(\d{4})-(\d{2})-(\d{2})$/;

/** The instant, or null when the text is not one. Digits beyond the microsecond are cut, as the engines do. */
export function tryParseInstant(text: string): Instant | null {
  const match = INSTANT_PATTERN.exec(text);
  if (match === null) return null;
  const [
    ,
    year,
    month,
    day,
    hour,
    minute,
    second,
    fraction = '',
    sign,
    offsetHour = '0',
    offsetMinute = '0',
  ] = match;
  const date = { year: Number(year), month: Number(month), day: Number(day) };
  if (!isCalendarDate(date)) return null;

  const offsetSeconds = (Number(offsetHour) * 60 + Number(offsetMinute)) * 60 * (sign === '-' ? -1 : 1);
  const secondOfDay = (Number(hour) * 60 + Number(minute)) * 60 + Number(second);
  const seconds = daysSinceEpoch(date) * 86_400 + secondOfDay - offsetSeconds;
  return BigInt(seconds) * MICROS_PER_SECOND + BigInt(fraction.slice(0, 6).padEnd(6, '0'));
}

/** @throws InputError `invalid_instant` */
export function parseInstant(text: string): Instant {
  const instant = tryParseInstant(text);
  if (instant === null) {
    throw new InputError(
      'invalid_instant',
      `"${text.slice(0, 40)}" is not an instant; write RFC 3339 with an offset, like 2026-01-31T09:30:00Z`,
    );
  }
  return instant;
}

/** RFC 3339 in UTC; the fraction only where there is one: "2026-01-31T09:30:00Z", "….000001Z". */
export function formatInstant(instant: Instant): string {
  const day = floorDiv(instant, MICROS_PER_DAY);
  const microOfDay = instant - day * MICROS_PER_DAY;
  const second = Number(microOfDay / MICROS_PER_SECOND);
  const micros = microOfDay % MICROS_PER_SECOND;
  const clock = [Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60]
    .map(twoDigits)
    .join(':');
  const fraction = micros === 0n ? '' : `.${micros.toString().padStart(6, '0')}`;
  return `${formatDate(dateOfDays(Number(day)))}T${clock}${fraction}Z`;
}

/** The date, or null when the text is not `YYYY-MM-DD` or no such day exists. */
export function tryParseDate(text: string): CalendarDate | null {
  const match = DATE_PATTERN.exec(text);
  if (match === null) return null;
  const date = { year: Number(match[1]), month: Number(match[2]), day: Number(match[3]) };
  return isCalendarDate(date) ? date : null;
}

/** @throws InputError `invalid_date` */
export function parseDate(text: string): CalendarDate {
  const date = tryParseDate(text);
  if (date === null) {
    throw new InputError('invalid_date', `"${text.slice(0, 40)}" is not a date; write it like 2026-01-31`);
  }
  return date;
}

/** Reads an instant, or a date as its midnight UTC: what `periodStart` and `periodEnd` may hold. */
export function tryParseDateOrInstant(text: string): Instant | null {
  const date = tryParseDate(text);
  return date === null ? tryParseInstant(text) : midnightUtc(date);
}

export function formatDate({ year, month, day }: CalendarDate): string {
  return `${String(year).padStart(4, '0')}-${twoDigits(month)}-${twoDigits(day)}`;
}

export function midnightUtc(date: CalendarDate): Instant {
  return BigInt(daysSinceEpoch(date)) * MICROS_PER_DAY;
}

export function dateInUtc(instant: Instant): CalendarDate {
  return dateOfDays(Number(floorDiv(instant, MICROS_PER_DAY)));
}

export function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

export function daysInMonth(year: number, month: number): number {
  if (month === 2) return isLeapYear(year) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

export function addDays(date: CalendarDate, days: number): CalendarDate {
  return dateOfDays(daysSinceEpoch(date) + days);
}

/**
 * The same day of the month `months` later, or that month's last day when it has no such day.
 * Always count from the anchor: 31 January plus one month is 28 February, plus two is 31 March.
 * A chain of single months would have forgotten the 31st by then.
 */
export function addMonths(anchor: CalendarDate, months: number): CalendarDate {
  const monthIndex = anchor.year * 12 + (anchor.month - 1) + months;
  const year = Math.floor(monthIndex / 12);
  const month = monthIndex - year * 12 + 1;
  return { year, month, day: Math.min(anchor.day, daysInMonth(year, month)) };
}

/** 1 is Monday, 7 is Sunday. */
export function dayOfWeek(date: CalendarDate): number {
  // 1970-01-01 was a Thursday.
  return ((((daysSinceEpoch(date) + 3) % 7) + 7) % 7) + 1;
}

/** The Monday on or before the date. */
export function startOfWeek(date: CalendarDate): CalendarDate {
  return addDays(date, 1 - dayOfWeek(date));
}

export function startOfMonth({ year, month }: CalendarDate): CalendarDate {
  return { year, month, day: 1 };
}

export function compareDates(a: CalendarDate, b: CalendarDate): number {
  return daysSinceEpoch(a) - daysSinceEpoch(b);
}

export function daysBetween(from: CalendarDate, to: CalendarDate): number {
  return daysSinceEpoch(to) - daysSinceEpoch(from);
}

/** @throws InputError `invalid_period` when the end is before the start */
export function period(start: Instant, end: Instant): Period {
  if (end < start) {
    throw new InputError(
      'invalid_period',
      `a period must not end (${formatInstant(end)}) before it starts (${formatInstant(start)})`,
    );
  }
  return { start, end };
}

export function isWithin(instant: Instant, { start, end }: Period): boolean {
  return instant >= start && instant < end;
}

/** What two periods share; null when they only touch or are apart. */
export function overlapOf(a: Period, b: Period): Period | null {
  const start = a.start > b.start ? a.start : b.start;
  const end = a.end < b.end ? a.end : b.end;
  return start < end ? { start, end } : null;
}

export function isCalendarDate({ year, month, day }: CalendarDate): boolean {
  return (
    year >= MIN_YEAR &&
    year <= MAX_YEAR &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= daysInMonth(year, month)
  );
}

/**
 * Days since 1970-01-01. `Date.UTC` would do, but reads years below 100 as 19xx and goes through a float.
 *
 * @see Howard Hinnant, chrono-Compatible Low-Level Date Algorithms (days_from_civil)
 */
export function daysSinceEpoch({ year, month, day }: CalendarDate): number {
  const shiftedYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(shiftedYear / 400);
  const yearOfEra = shiftedYear - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** The inverse of `daysSinceEpoch` (civil_from_days). */
export function dateOfDays(days: number): CalendarDate {
  invariant(Number.isSafeInteger(days), 'dateOfDays: days must be an integer');
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

function floorDiv(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value % divisor < 0n ? quotient - 1n : quotient;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
