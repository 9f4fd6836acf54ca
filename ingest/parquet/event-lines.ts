import { ENVELOPE_ATTRIBUTES } from '../../core/events/envelope.js';
import { parseJsonExact, writeJson } from '../../core/json.js';
import { didYouMean } from '../../core/suggest.js';
import type { ParquetColumn, ParquetFile } from '../../platform/parquet-file.js';
import type { ColumnKind } from '../../platform/parquet-values.js';
import { requireNone, type ParquetText } from './parquet-text.js';

const TEXT: readonly ColumnKind[] = ['text'];
/** What each of an event's own columns may hold. */
const ALLOWED: Readonly<Record<string, readonly ColumnKind[]>> = {
  time: ['text', 'timestamp', 'instant'],
  data: ['text', 'nested'],
};

/**
 * A file whose rows are events already, as lines of NDJSON: its columns are those of the envelope, with `data` as JSON text or as a
 * struct, and any other is an attribute that is kept with the event. A NULL is an attribute that is not there.
 *
 * @throws InputError `invalid_file` when a column is missing or can't hold what it should
 */
export function eventLines({ name, columns }: ParquetFile): ParquetText {
  requireNone(
    columnProblems(columns),
    name,
    `Rows that are events have the columns ${[...ENVELOPE_ATTRIBUTES].join(', ')}; for any other table, add --mapping <file.yaml>`,
  );
  const isJsonText = columns.map((column) => column.name === 'data' && column.kind === 'text');
  return {
    columns: columns.map((column) => column.name),
    write: (values) => {
      const members = columns.map((column, index): [string, unknown] => {
        const value = values[index];
        return [column.name, isJsonText[index] === true ? parsed(value) : value];
      });
      return `${writeJson(Object.fromEntries(members.filter(([, value]) => value !== null)))}\n`;
    },
  };
}

/** Text that is no JSON stays text: the schema says of it that `data` must be an object, and quarantine keeps it. */
function parsed(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const result = parseJsonExact(value);
  return result.ok ? result.value : value;
}

function columnProblems(columns: readonly ParquetColumn[]): string[] {
  const names = columns.map(({ name }) => name);
  const missing = [...ENVELOPE_ATTRIBUTES]
    .filter((attribute) => !names.includes(attribute))
    .map((attribute) => `no column "${attribute}"${didYouMean(attribute, names)}`);
  const unfit = columns.flatMap(({ name, kind, type }) => {
    if (!ENVELOPE_ATTRIBUTES.has(name)) {
      return kind === 'other' ? [`column "${name}" is ${type}, which no JSON can hold: leave it out`] : [];
    }
    const allowed = ALLOWED[name] ?? TEXT;
    if (allowed.includes(kind)) return [];
    return [`column "${name}" is ${type} and must be ${described(allowed)}: cast it when exporting`];
  });
  return [...missing, ...unfit];
}

function described(allowed: readonly ColumnKind[]): string {
  if (allowed.includes('nested')) return 'a struct, or JSON text';
  return allowed.includes('instant') ? 'a timestamp, or RFC 3339 text' : 'text';
}
