import { z } from 'zod';
import { InvariantError } from '../../core/errors.js';
import { formatInstant, tryParseInstant } from '../../core/time.js';

/** Makes of a value, as ClickHouse writes it in JSON, what `RowSchema` promises. */
export type Decoder = (value: unknown) => unknown;

/** How ClickHouse must write JSON for the decoders to lose nothing. */
export const EXACT_JSON = {
  output_format_json_quote_64bit_integers: 1,
  output_format_json_quote_decimals: 1,
  output_format_json_quote_denormals: 1,
  output_format_decimal_trailing_zeros: 1,
  output_format_json_map_as_array_of_tuples: 1,
  output_format_json_named_tuples_as_objects: 1,
  date_time_output_format: 'iso',
} as const;

const asIs: Decoder = (value) => value;
const DENORMALS: Readonly<Record<string, number>> = {
  inf: Infinity,
  '-inf': -Infinity,
  nan: NaN,
  '-nan': NaN,
};

const number: Decoder = (value) => (typeof value === 'string' ? (DENORMALS[value] ?? Number(value)) : value);
const integer: Decoder = (value) => BigInt(String(value));
/** "2026-01-31T10:00:00.250Z", with as many digits as the column has, to Headgate's own way of writing it. */
const instant: Decoder = (value) => {
  const text = String(value);
  const micros = tryParseInstant(text);
  if (micros === null) throw new InvariantError(`ClickHouse answered "${text}" for an instant`);
  return formatInstant(micros);
};

const SCALARS: Readonly<Record<string, Decoder>> = {
  Int64: integer,
  Int128: integer,
  Int256: integer,
  UInt64: integer,
  UInt128: integer,
  UInt256: integer,
  Float32: number,
  Float64: number,
  BFloat16: number,
  DateTime: instant,
  DateTime64: instant,
};

/** The decoder of a column's type. Text, dates, decimals and narrow integers come as they should be. */
export function decoderOf(type: string): Decoder {
  const { name, parts } = takenApart(type);
  switch (name) {
    case 'Nullable':
      return nullable(decoderOf(parts[0] ?? ''));
    case 'LowCardinality':
      return decoderOf(parts[0] ?? '');
    case 'SimpleAggregateFunction':
      return decoderOf(parts[1] ?? '');
    case 'Array':
      return arrayOf(decoderOf(parts[0] ?? ''));
    case 'Map':
      return arrayOf(entryOf(parts));
    case 'Tuple':
      return tupleOf(parts);
    case 'Nested':
      return arrayOf(tupleOf(parts));
    default:
      return SCALARS[name] ?? asIs;
  }
}

function nullable(decode: Decoder): Decoder {
  return decode === asIs ? asIs : (value) => (value === null ? null : decode(value));
}

function arrayOf(decode: Decoder): Decoder {
  return decode === asIs ? asIs : (value) => (Array.isArray(value) ? value.map(decode) : value);
}

const Entry = z.object({ keys: z.unknown(), values: z.unknown() });

/** An entry of a map, as [key, value]: as an object a map would lose the type of its keys. */
function entryOf([key = '', value = '']: readonly string[]): Decoder {
  const [decodeKey, decodeValue] = [decoderOf(key), decoderOf(value)];
  return (entry) => {
    const { keys, values } = Entry.parse(entry);
    return [decodeKey(keys), decodeValue(values)];
  };
}

/** A tuple with names is an object, one without is an array. */
function tupleOf(parts: readonly string[]): Decoder {
  const members = parts.map(memberOf);
  const byName = new Map(members.map(({ name, decode }) => [name, decode]));
  return (value) => {
    if (Array.isArray(value)) return value.map((part, index) => (members[index]?.decode ?? asIs)(part));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, part]) => [name, (byName.get(name) ?? asIs)(part)]),
    );
  };
}

const NAMED = /^(?:`((?:[^`\\]|\\[^])*)`|([A-Za-z_]\w*)) +(?=[A-Za-z])(.+)$/s;

function memberOf(part: string): { name: string | undefined; decode: Decoder } {
  const named = NAMED.exec(part);
  if (named === null) return { name: undefined, decode: decoderOf(part) };
  const name = named[1]?.replaceAll(/\\([^])/g, '$1') ?? named[2];
  return { name, decode: decoderOf(named[3] ?? '') };
}

/** `Map(String, Array(Int64))`: its name, and its parts at the commas outside parentheses and quotes. */
function takenApart(type: string): { name: string; parts: string[] } {
  const open = type.indexOf('(');
  if (open === -1) return { name: type.trim(), parts: [] };
  const parts: string[] = [];
  let depth = 0;
  let part = '';
  for (const [token] of type
    .slice(open + 1, type.lastIndexOf(')'))
    .matchAll(/'(?:[^'\\]|\\[^])*'|`(?:[^`\\]|\\[^])*`|[^]/g)) {
    if (token === '(') depth += 1;
    if (token === ')') depth -= 1;
    if (token === ',' && depth === 0) {
      parts.push(part.trim());
      part = '';
    } else part += token;
  }
  return { name: type.slice(0, open).trim(), parts: [...parts, part.trim()] };
}
