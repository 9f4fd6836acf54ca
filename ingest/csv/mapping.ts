import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { isZone } from '../../core/calendar.js';
import { InputError } from '../../core/errors.js';
import { fieldSpecs } from '../../core/events/field-specs.js';
import { EVENT_TYPES, isEventType } from '../../core/events.js';
import { didYouMean } from '../../core/suggest.js';
import { isTimeFormat } from './time-format.js';

export const CELL_TYPES = ['text', 'integer', 'decimal', 'minor', 'boolean', 'instant', 'date'] as const;
const Scalar = z.union([z.string(), z.number(), z.boolean()]);

/** A value out of the row: a column, or several put together, and how its text is read. */
const Cell = z
  .strictObject({
    column: z.string().min(1).optional(),
    template: z.string().min(1).optional(),
    as: z.enum(CELL_TYPES).default('text'),
    /** Of times: `iso` (default), `unix`, `unix_ms`, or letters like `dd/MM/yyyy HH:mm`. */
    format: z
      .string()
      .refine(isTimeFormat, 'is not a time format; write one like dd/MM/yyyy HH:mm')
      .optional(),
    /** For `minor`: a code, or `{column}`. */
    currency: z.string().min(1).optional(),
    decimalMark: z.enum(['.', ',']).default('.'),
    /** Cell text → value, before anything else. */
    map: z.record(z.string(), Scalar).optional(),
    /** For an empty cell; without it the field is left out. */
    default: Scalar.optional(),
  })
  .refine((cell) => (cell.column === undefined) !== (cell.template === undefined), {
    message: 'needs either column or template',
  })
  .refine((cell) => cell.as !== 'minor' || cell.currency !== undefined, {
    message: 'as: minor needs a currency, which says how many decimals it has',
  });
export type Cell = z.infer<typeof Cell>;

/** Something fixed, though it holds braces. */
const Constant = z.strictObject({ constant: z.json() });

export type MappedValue = string | number | boolean | Cell | Constant | readonly MappedValue[] | MappedObject;
type Constant = z.infer<typeof Constant>;
export interface MappedObject {
  readonly [field: string]: MappedValue;
}

const MappedValue: z.ZodType<MappedValue> = z.lazy(() =>
  z.union([Scalar, Cell, Constant, z.array(MappedValue), MappedObject]),
);
const MappedObject: z.ZodType<MappedObject> = z
  .record(z.string(), MappedValue)
  .refine((value) => !('column' in value || 'template' in value || 'constant' in value), {
    message:
      'is not a cell that can be read (column or template, as, format, currency, decimalMark, map, default)',
  });

const Condition = z
  .strictObject({
    column: z.string().min(1),
    present: z.boolean().optional(),
    is: z.array(z.string()).min(1).optional(),
    isNot: z.array(z.string()).min(1).optional(),
  })
  .refine((condition) => Object.keys(condition).length === 2, {
    message: 'needs exactly one of present, is, isNot',
  });
export type Condition = z.infer<typeof Condition>;

const MappedEvent = z.strictObject({
  type: z.string(),
  /** Which rows make this event; all when left out. */
  when: Condition.optional(),
  id: z.string().min(1),
  subject: z.union([z.string().min(1), Cell]),
  time: z.union([z.string().min(1), Cell]),
  data: MappedObject,
});
export type MappedEvent = z.infer<typeof MappedEvent>;

const Mapping = z.strictObject({
  mapping: z.string().min(1),
  /** `source` of all events. With `id` it makes them the same events when the file comes again. */
  source: z.string().min(1).max(200),
  delimiter: z.string().length(1).default(','),
  quote: z.string().length(1).default('"'),
  encoding: z.enum(['utf-8', 'latin1']).default('utf-8'),
  /** Names of the columns, for a file without a header. */
  columns: z.array(z.string().min(1)).min(1).optional(),
  /** Of times that say no offset. */
  zone: z.string().refine(isZone, 'is not an IANA time zone').default('UTC'),
  events: z.array(MappedEvent).min(1),
});
export type Mapping = z.infer<typeof Mapping>;

/** A mapping with the text it came from: another text reads the same rows as other events. */
export interface MappingFile {
  readonly mapping: Mapping;
  readonly text: string;
}

/** @throws InputError `file_not_found` or `invalid_mapping`, whose message lists every problem with its path */
export async function loadMapping(path: string): Promise<MappingFile> {
  const name = basename(path);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new InputError('file_not_found', `mapping ${path}: cannot be read; check the path`, {
      status: 404,
      cause,
    });
  }
  return parseMapping(text, name);
}

/** YAML, of which JSON is a part. */
export function parseMapping(text: string, name: string): MappingFile {
  let document: unknown;
  try {
    document = parse(text);
  } catch (cause) {
    const message = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw new InputError('invalid_mapping', `mapping ${name}: ${message}`, { cause });
  }
  const parsed = Mapping.safeParse(document);
  const problems = parsed.success
    ? typeProblems(parsed.data)
    : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  if (problems.length === 0 && parsed.success) return { mapping: parsed.data, text };
  throw new InputError(
    'invalid_mapping',
    problems.map((problem) => `mapping ${name}: ${problem}`).join('\n'),
    { details: { problems } },
  );
}

/** What every row would be refused for is said once, before the first row. */
function typeProblems({ events }: Mapping): string[] {
  return events.flatMap(({ type, data }, index) => {
    if (!isEventType(type)) {
      return [`events.${index}.type: unknown event type "${type}"${didYouMean(type, EVENT_TYPES)}`];
    }
    const specs = fieldSpecs(type);
    const names = specs.map(({ name }) => name);
    const missing = specs
      .filter(({ name, optional }) => !optional && !(name in data))
      .map(({ name }) => `events.${index}.data: ${type} needs ${name}`);
    const misspelt = Object.keys(data)
      .filter((name) => !names.includes(name))
      .map((name) => ({ name, hint: didYouMean(name, names) }))
      // A field that the schema does not know is kept with the event, unless it looks like a slip.
      .filter(({ hint }) => hint !== '')
      .map(({ name, hint }) => `events.${index}.data.${name}: ${type} has no field "${name}"${hint}`);
    return [...missing, ...misspelt];
  });
}
