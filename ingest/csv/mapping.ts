import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { isZone } from '../../core/calendar.js';
import { explainIssues, type CatalogProblem } from '../../core/catalog/problems.js';
import { InputError } from '../../core/errors.js';
import { fieldSpecs } from '../../core/events/field-specs.js';
import { EVENT_TYPES, isEventType } from '../../core/events.js';
import { didYouMean } from '../../core/suggest.js';
import { placeOf, readYaml } from '../../platform/yaml-places.js';
import { chosenForm } from './chosen-form.js';
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

const MappedValue: z.ZodType<MappedValue> = chosenForm<MappedValue>((value) => {
  if (Array.isArray(value)) return z.array(MappedValue);
  if (typeof value !== 'object' || value === null) return Scalar;
  if ('column' in value || 'template' in value) return Cell;
  return 'constant' in value ? Constant : MappedObject;
});
const MappedObject = z.record(z.string(), MappedValue);
const TextOrCell = chosenForm<string | Cell>((value) =>
  typeof value === 'object' ? Cell : z.string().min(1),
);

export function isList(mapped: MappedValue): mapped is readonly MappedValue[] {
  return Array.isArray(mapped);
}

export function isCell(mapped: object): mapped is Cell {
  return 'as' in mapped && ('column' in mapped || 'template' in mapped);
}

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
  subject: TextOrCell,
  time: TextOrCell,
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

/** @throws InputError `file_not_found` or `invalid_mapping`, whose message lists every problem with its line, column and path */
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
  const reading = readYaml(text);
  if (!reading.ok) {
    const { line, column, message } = reading;
    throw new InputError('invalid_mapping', `mapping ${name}:${line}:${column} ${message}`);
  }
  const { yaml, lines, document } = reading;
  const parsed = Mapping.safeParse(document);
  // A mapping is a file that people write, as a catalog is: its problems are said in the same words.
  const problems: readonly Problem[] = parsed.success
    ? typeProblems(parsed.data)
    : explainIssues(parsed.error.issues, Mapping, document);
  if (problems.length === 0 && parsed.success) return { mapping: parsed.data, text };
  const told = problems.map((problem) => {
    const { line, column } = placeOf(yaml, lines, problem);
    const path = problem.path.join('.');
    return `mapping ${name}:${line}:${column} ${path === '' ? '' : `${path}: `}${problem.message}`;
  });
  throw new InputError('invalid_mapping', told.join('\n'), { details: { problems: told } });
}

type Problem = Pick<CatalogProblem, 'path' | 'at' | 'message'>;

/** What every row would be refused for is said once, before the first row. */
function typeProblems({ events }: Mapping): Problem[] {
  return events.flatMap(({ type, data }, index): Problem[] => {
    const at = (...path: string[]) => ['events', index, ...path];
    if (!isEventType(type)) {
      const message = `unknown event type "${type}"${didYouMean(type, EVENT_TYPES)}`;
      return [{ path: at('type'), at: 'value', message }];
    }
    const specs = fieldSpecs(type);
    const names = specs.map(({ name }) => name);
    const missing = specs
      .filter(({ name, optional }) => !optional && !(name in data))
      .map(({ name }) => ({ path: at('data'), at: 'key' as const, message: `${type} needs ${name}` }));
    const misspelt = Object.keys(data)
      .filter((name) => !names.includes(name))
      .map((name) => ({ name, hint: didYouMean(name, names) }))
      // A field that the schema does not know is kept with the event, unless it looks like a slip.
      .filter(({ hint }) => hint !== '')
      .map(({ name, hint }) => ({
        path: at('data', name),
        at: 'key' as const,
        message: `${type} has no field "${name}"${hint}`,
      }));
    return [...missing, ...misspelt];
  });
}
