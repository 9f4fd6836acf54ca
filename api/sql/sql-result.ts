import { csvText } from '../csv.js';
import { apiJson } from '../json-answer.js';

/** What the warehouse's SQL reader gives. */
interface SqlResult {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly unknown[])[];
}

/**
 * Rows as objects. Two columns of one name would be one: the second becomes `name_2`, the third `name_3`. Whole numbers that a
 * double holds are numbers, larger ones strings.
 */
export function objectsOf({ columns, rows }: SqlResult): {
  columns: { name: string; type: string }[];
  rows: Record<string, unknown>[];
} {
  const named = uniqueNames(columns);
  return {
    columns: named,
    rows: rows.map((row) =>
      Object.fromEntries(named.map(({ name }, index) => [name, jsonValue(row[index])])),
    ),
  };
}

function uniqueNames(columns: SqlResult['columns']): { name: string; type: string }[] {
  const taken = new Set<string>();
  return columns.map(({ name, type }) => {
    let unique = name;
    for (let count = 2; taken.has(unique); count += 1) unique = `${name}_${count}`;
    taken.add(unique);
    return { name: unique, type };
  });
}

function jsonValue(value: unknown): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value.toString();
  }
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(jsonValue);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, jsonValue(part)]));
  }
  return value;
}

/** As `csvText` has it; NULL is an empty field. */
export function csvOf({ columns, rows }: SqlResult): string {
  return csvText(
    columns.map(({ name }) => name),
    rows.map((row) => row.map((value) => (value == null ? null : textOf(jsonValue(value))))),
  );
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : apiJson(value);
}
