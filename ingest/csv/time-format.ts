import { instantOf } from '../../core/calendar.js';
import {
  isCalendarDate,
  MICROS_PER_SECOND,
  tryParseDate,
  tryParseInstant,
  type CalendarDate,
  type Instant,
} from '../../core/time.js';

const MONTHS = 'january february march april may june july august september october november december'.split(
  ' ',
);
const MICROS_PER_MINUTE = 60n * MICROS_PER_SECOND;

/** Letters of a format, and what text stands for each. Longer ones first: MMMM before MM. */
const LETTERS: readonly (readonly [letters: string, pattern: string])[] = [
  ['yyyy', String.raw`(?<year>\d{4})`],
  ['MMMM', String.raw`(?<monthName>[A-Za-z]{3,9})`],
  ['MMM', String.raw`(?<monthName>[A-Za-z]{3,9})`],
  ['MM', String.raw`(?<month>\d{2})`],
  ['M', String.raw`(?<month>\d{1,2})`],
  ['dd', String.raw`(?<day>\d{2})`],
  ['d', String.raw`(?<day>\d{1,2})`],
  ['HH', String.raw`(?<hour>\d{2})`],
  ['H', String.raw`(?<hour>\d{1,2})`],
  ['hh', String.raw`(?<hour12>\d{2})`],
  ['h', String.raw`(?<hour12>\d{1,2})`],
  ['mm', String.raw`(?<minute>\d{2})`],
  ['ss', String.raw`(?<second>\d{2})`],
  ['SSS', String.raw`(?<fraction>\d{1,9})`],
  ['a', String.raw`(?<half>[AaPp]\.?[Mm]\.?)`],
  ['XXX', String.raw`(?<offset>Z|[+-]\d{2}:?\d{2})`],
];
const WORDS = ['iso', 'unix', 'unix_ms'];

const compiled = new Map<string, RegExp>();

export function isTimeFormat(format: string): boolean {
  if (WORDS.includes(format)) return true;
  // Years, months and days are all needed to name a day; anything beyond letters stands for itself.
  return /yyyy/.test(format) && /M/.test(format) && /d/.test(format) && patternOf(format) !== null;
}

/** The instant that a text names in a format; what has no offset is read in the zone. Null when it names none. */
export function readTime(text: string, format: string, zone: string): Instant | null {
  if (format === 'iso') return readIso(text, zone);
  if (format === 'unix') return /^\d{1,11}$/.test(text) ? BigInt(text) * MICROS_PER_SECOND : null;
  if (format === 'unix_ms') return /^\d{1,14}$/.test(text) ? BigInt(text) * 1000n : null;
  const groups = patternOf(format)?.exec(text)?.groups;
  return groups === undefined ? null : instantFrom(groups, zone);
}

/** RFC 3339, a day alone, and both without an offset or with a space for the T, as databases export them. */
function readIso(text: string, zone: string): Instant | null {
  const date = tryParseDate(text);
  if (date) return instantOf({ date, microOfDay: 0n }, zone);
  const instant = tryParseInstant(text.replace(' ', 'T'));
  if (instant !== null) return instant;
  const local = tryParseInstant(`${text.replace(' ', 'T')}Z`);
  if (local === null) return null;
  const day = tryParseDate(text.slice(0, 10));
  const midnight = tryParseInstant(`${text.slice(0, 10)}T00:00:00Z`);
  return day && midnight !== null ? instantOf({ date: day, microOfDay: local - midnight }, zone) : null;
}

function patternOf(format: string): RegExp | null {
  const known = compiled.get(format);
  if (known) return known;
  let pattern = '';
  for (let at = 0; at < format.length;) {
    const letters = LETTERS.find(([name]) => format.startsWith(name, at));
    pattern += letters ? letters[1] : (format[at] ?? '').replace(/[\\^$.*+?()[\]{}|/-]/, String.raw`\$&`);
    at += letters ? letters[0].length : 1;
  }
  try {
    const expression = new RegExp(`^${pattern}$`);
    compiled.set(format, expression);
    return expression;
  } catch {
    // The same part twice (`dd/dd/yyyy`).
    return null;
  }
}

function instantFrom(groups: Readonly<Record<string, string | undefined>>, zone: string): Instant | null {
  const date = dateFrom(groups);
  const number = (name: string): number => Number(groups[name] ?? 0);
  const hour = hourFrom(groups);
  const isTime = hour !== null && number('minute') < 60 && number('second') < 60;
  if (!isCalendarDate(date) || !isTime) return null;
  const fraction = (groups['fraction'] ?? '').slice(0, 6).padEnd(6, '0');
  const secondOfDay = (hour * 60 + number('minute')) * 60 + number('second');
  const local = { date, microOfDay: BigInt(secondOfDay) * MICROS_PER_SECOND + BigInt(fraction) };
  const { offset } = groups;
  if (offset === undefined) return instantOf(local, zone);
  return instantOf(local, 'UTC') - offsetMicros(offset);
}

function dateFrom(groups: Readonly<Record<string, string | undefined>>): CalendarDate {
  const name = groups['monthName']?.toLowerCase();
  const month =
    name === undefined ? Number(groups['month']) : MONTHS.findIndex((full) => full.startsWith(name)) + 1;
  return { year: Number(groups['year']), month, day: Number(groups['day']) };
}

function hourFrom(groups: Readonly<Record<string, string | undefined>>): number | null {
  if (groups['hour12'] === undefined)
    return Number(groups['hour'] ?? 0) < 24 ? Number(groups['hour'] ?? 0) : null;
  const hour = Number(groups['hour12']);
  if (hour < 1 || hour > 12) return null;
  return (hour % 12) + (/^p/i.test(groups['half'] ?? '') ? 12 : 0);
}

function offsetMicros(offset: string): bigint {
  if (offset === 'Z') return 0n;
  const digits = offset.replace(':', '');
  const minutes = BigInt(digits.slice(1, 3)) * 60n + BigInt(digits.slice(3, 5));
  return (offset.startsWith('-') ? -minutes : minutes) * MICROS_PER_MINUTE;
}
