import { InputError } from '../core/errors.js';
import { didYouMean } from '../core/suggest.js';
import { formatDate, startOfMonth, startOfWeek, tryParseDate, tryParseInstant } from '../core/time.js';
import type { TextType } from '../platform/warehouse/cast-text.js';
import type { Metric } from './metric.js';

/** Which number: the values of the drill's parameters (month, currency, org_id …), as text. */
export type DrillQuestion = Readonly<Record<string, string>>;

/** The parameters of a drill's SQL, with the types that the engine reads their text as. */
export type DrillParameters = ReadonlyMap<string, TextType>;

/** Templates name what may be left out by a default here; everything else must be given. */
const DEFAULTS: Readonly<Record<string, string>> = { dimension: 'all', member: 'all' };

/**
 * The text to bind for every parameter of a drill. What an engine would stumble over is refused here, and so is what would look
 * like a number that is 0 because its place is none.
 *
 * @throws InputError `invalid_argument`, `unknown_dimension`
 */
export function drillPlace(
  metric: Metric,
  question: DrillQuestion,
  parameters: DrillParameters,
): Record<string, string> {
  const open = [...parameters.keys()].filter((name) => fixedValue(metric, name) === undefined);
  requireKnown(metric, question, parameters, open);
  const place: Record<string, string> = {};
  for (const [name, type] of parameters) {
    const value = fixedValue(metric, name) ?? question[name] ?? totalOf(metric, name) ?? DEFAULTS[name];
    if (value === undefined) throw refused(metric, open, `needs ${name}: it takes ${open.join(', ')}`);
    requireType(metric, name, type, value);
    requireFirstDay(metric, name, value);
    place[name] = value;
  }
  if (parameters.has('dimension')) requireDimension(metric, place);
  return place;
}

function refused(metric: Metric, open: readonly string[], what: string): InputError {
  return new InputError('invalid_argument', `drill of ${metric.name} ${what}`, {
    details: { metric: metric.name, parameters: open },
  });
}

function requireKnown(
  metric: Metric,
  question: DrillQuestion,
  parameters: DrillParameters,
  open: readonly string[],
): void {
  for (const name of Object.keys(question)) {
    const fixed = fixedValue(metric, name);
    if (fixed !== undefined && parameters.has(name)) {
      throw refused(metric, open, `is always of ${name} ${fixed}; leave ${name} out`);
    }
  }
  const unknown = Object.keys(question).filter((name) => !open.includes(name));
  if (unknown.length === 0) return;
  throw refused(metric, open, `does not take ${unknown.join(', ')}: it takes ${open.join(', ')}`);
}

/** What each type is called, what it looks like, and what is one. `text` takes anything. */
const TYPES = {
  date: { noun: 'a day', example: '2026-09-01', is: (text: string) => tryParseDate(text) !== null },
  timestamp: {
    noun: 'an instant',
    example: '2026-09-01T00:00:00Z',
    is: (text: string) => tryParseInstant(text) !== null,
  },
  bigint: { noun: 'a whole number', example: '12', is: (text: string) => /^-?\d{1,18}$/.test(text) },
} as const;

function requireType(metric: Metric, name: string, type: TextType, value: string): void {
  if (type === 'text' || TYPES[type].is(value)) return;
  const { noun, example } = TYPES[type];
  // Who writes 2026-09 means that month.
  const meant = type === 'date' && tryParseDate(`${value}-01`) !== null ? `${value}-01` : example;
  throw new InputError(
    'invalid_argument',
    `drill of ${metric.name}: ${name} "${value.slice(0, 40)}" is not ${noun}; write ${meant}`,
    { details: { metric: metric.name, parameter: name } },
  );
}

const PERIODS = {
  month: { start: startOfMonth, noun: 'the first day of a month' },
  week: { start: startOfWeek, noun: 'a Monday, on which weeks begin' },
} as const;

/** A month is named by its first day and a week by its Monday: any other day is the place of no number. */
function requireFirstDay(metric: Metric, name: string, value: string): void {
  if (name !== 'month' && name !== 'week') return;
  const date = tryParseDate(value);
  if (date === null) return;
  const first = formatDate(PERIODS[name].start(date));
  if (first === value) return;
  throw new InputError(
    'invalid_argument',
    `drill of ${metric.name}: ${name} ${value} is not ${PERIODS[name].noun}; write ${first}`,
    { details: { metric: metric.name, parameter: name } },
  );
}

function requireDimension(metric: Metric, place: Readonly<Record<string, string>>): void {
  const { dimension = 'all', member = 'all' } = place;
  if (dimension !== 'all' && !metric.dimensions.includes(dimension)) {
    const suggestion = didYouMean(dimension, metric.dimensions);
    throw new InputError(
      'unknown_dimension',
      `drill of ${metric.name}: there is no dimension "${dimension.slice(0, 40)}"${suggestion === '' ? ';' : suggestion} ` +
        `it has ${metric.dimensions.join(', ') || 'none'}`,
      { details: { metric: metric.name, dimensions: metric.dimensions } },
    );
  }
  if ((dimension === 'all') === (member === 'all')) return;
  throw new InputError(
    'invalid_argument',
    dimension === 'all'
      ? `drill of ${metric.name}: member "${member.slice(0, 40)}" is of which dimension? Add dimension=${metric.dimensions[0] ?? 'all'}, or another of ${metric.dimensions.join(', ')}`
      : `drill of ${metric.name}: dimension ${dimension} needs a member of it; add member=, as headgate metrics ${metric.name} --by ${dimension} lists them`,
    { details: { metric: metric.name, parameter: dimension === 'all' ? 'dimension' : 'member' } },
  );
}

/** A metric that is one slice of a mart (window_months = 12) fixes that parameter of its drill. */
function fixedValue(metric: Metric, name: string): string | undefined {
  const value = metric.filters?.[name];
  return value === undefined ? undefined : String(value);
}

/** Where the mart carries roll-ups, a dimension that is not asked for is rolled up. */
function totalOf(metric: Metric, name: string): string | undefined {
  return metric.breakdown === 'rollup' && metric.dimensions.includes(name) ? 'all' : undefined;
}
