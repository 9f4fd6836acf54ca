import { ClickHouseError } from '@clickhouse/client';
import { z } from 'zod';
import { InvariantError } from '../../core/errors.js';
import { decoderOf, type Decoder } from './clickhouse-values.js';
import type { RowSchema } from './warehouse.js';

const Texts = z.array(z.string());
const Values = z.array(z.unknown());

/** A result as it comes: values by column, decoded as `RowSchema` promises. */
export interface DecodedResult {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly batches: AsyncIterable<unknown[][]>;
}

interface Line {
  readonly text: string;
}

/** The first two lines are names and types. */
export async function decodedResult(stream: AsyncIterable<readonly Line[]>): Promise<DecodedResult> {
  const lines = stream[Symbol.asyncIterator]();
  const head: Line[] = [];
  while (head.length < 2) {
    const next = await lines.next();
    if (next.done === true) break;
    head.push(...next.value);
  }
  const [names = [], types = []] = head.slice(0, 2).map((line) => Texts.parse(parsedLine(line)));
  const columns = names.map((name, index) => ({ name, type: types[index] ?? 'String' }));
  const decoders = columns.map(({ type }) => decoderOf(type));
  return { columns, batches: decodedBatches(head.slice(2), lines, decoders) };
}

async function* decodedBatches(
  first: readonly Line[],
  rest: AsyncIterator<readonly Line[]>,
  decoders: readonly Decoder[],
): AsyncGenerator<unknown[][]> {
  const decoded = (batch: readonly Line[]): unknown[][] =>
    batch.map((line) => Values.parse(parsedLine(line)).map((value, index) => decoders[index]?.(value)));
  try {
    if (first.length > 0) yield decoded(first);
    for (let next = await rest.next(); next.done !== true; next = await rest.next())
      yield decoded(next.value);
  } finally {
    await rest.return?.();
  }
}

const EXCEPTION = /Code: (?<code>\d+)\. DB::Exception: (?<message>[^]*)/;

/** Older servers write an exception that came in the middle where the next row would stand. */
function parsedLine({ text }: Line): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const { code, message } = EXCEPTION.exec(text)?.groups ?? {};
    if (code !== undefined && message !== undefined)
      throw new ClickHouseError({ code, message, type: 'UNKNOWN' });
    throw new Error(`connection lost within a row: ${text.slice(0, 100)}`, { cause });
  }
}

export function parsedRow<Row>(
  names: readonly string[],
  values: readonly unknown[],
  sql: string,
  rowSchema: RowSchema<Row>,
): Row {
  const row: Record<string, unknown> = {};
  names.forEach((name, index) => {
    row[name] = values[index];
  });
  const parsed = rowSchema.safeParse(row);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
  throw new InvariantError(`a row does not fit its schema (${where}) in: ${sql.slice(0, 200)}`);
}
