import {
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBArrayValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTypeId,
  type DuckDBType,
  type DuckDBValue,
} from '@duckdb/node-api';
import { parseJsonExact } from '../core/json.js';
import { formatInstant } from '../core/time.js';

/** What a column holds, as far as readers care. `timestamp` knows no zone, `instant` is in UTC. */
export type ColumnKind =
  | 'text'
  | 'integer'
  | 'decimal'
  | 'float'
  | 'boolean'
  | 'date'
  | 'timestamp'
  | 'instant'
  | 'nested'
  | 'other';

const KINDS: Partial<Record<DuckDBTypeId, ColumnKind>> = {
  [DuckDBTypeId.VARCHAR]: 'text',
  [DuckDBTypeId.ENUM]: 'text',
  [DuckDBTypeId.UUID]: 'text',
  [DuckDBTypeId.TIME]: 'text',
  [DuckDBTypeId.TINYINT]: 'integer',
  [DuckDBTypeId.SMALLINT]: 'integer',
  [DuckDBTypeId.INTEGER]: 'integer',
  [DuckDBTypeId.BIGINT]: 'integer',
  [DuckDBTypeId.HUGEINT]: 'integer',
  [DuckDBTypeId.UTINYINT]: 'integer',
  [DuckDBTypeId.USMALLINT]: 'integer',
  [DuckDBTypeId.UINTEGER]: 'integer',
  [DuckDBTypeId.UBIGINT]: 'integer',
  [DuckDBTypeId.UHUGEINT]: 'integer',
  [DuckDBTypeId.DECIMAL]: 'decimal',
  [DuckDBTypeId.FLOAT]: 'float',
  [DuckDBTypeId.DOUBLE]: 'float',
  [DuckDBTypeId.BOOLEAN]: 'boolean',
  [DuckDBTypeId.DATE]: 'date',
  [DuckDBTypeId.TIMESTAMP]: 'timestamp',
  [DuckDBTypeId.TIMESTAMP_S]: 'timestamp',
  [DuckDBTypeId.TIMESTAMP_MS]: 'timestamp',
  [DuckDBTypeId.TIMESTAMP_NS]: 'timestamp',
  [DuckDBTypeId.TIMESTAMP_TZ]: 'instant',
};

const FLOAT_DIGITS = 9;

export function kindOf(type: DuckDBType): ColumnKind {
  switch (type.typeId) {
    case DuckDBTypeId.STRUCT:
      return type.entryTypes.some((entry) => kindOf(entry) === 'other') ? 'other' : 'nested';
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY:
      return kindOf(type.valueType) === 'other' ? 'other' : 'nested';
    case DuckDBTypeId.MAP:
      return kindOf(type.keyType) !== 'text' || kindOf(type.valueType) === 'other' ? 'other' : 'nested';
    default:
      return KINDS[type.typeId] ?? 'other';
  }
}

/**
 * A value as `parseJsonExact` would have read it: what a double would bend is its digits as text, an instant is RFC 3339 in UTC, an
 * absent member of a struct is left out.
 */
export function exactValue(value: DuckDBValue, type: DuckDBType): unknown {
  if (value === null) return null;
  if (type.typeId === DuckDBTypeId.FLOAT) return float(shortest(Number(value)));
  if (typeof value === 'number') return float(value);
  if (typeof value === 'bigint' || value instanceof DuckDBDecimalValue) return exactNumber(value.toString());
  if (typeof value !== 'object') return value;
  if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue) {
    return formatInstant(value.micros);
  }
  if (value instanceof DuckDBTimestampNanosecondsValue) return formatInstant(floorToMicros(value.nanos));
  if (value instanceof DuckDBTimestampMillisecondsValue) return formatInstant(value.millis * 1000n);
  if (value instanceof DuckDBTimestampSecondsValue) return formatInstant(value.seconds * 1_000_000n);
  if (value instanceof DuckDBDateValue) return value.toString();
  return nestedValue(value, type);
}

function nestedValue(value: Exclude<DuckDBValue, null>, type: DuckDBType): unknown {
  if (value instanceof DuckDBStructValue && type.typeId === DuckDBTypeId.STRUCT) {
    const members = type.entryNames.map((name, index): [string, unknown] => {
      const entryType = type.entryTypes[index];
      return [name, entryType ? exactValue(value.entries[name] ?? null, entryType) : null];
    });
    return Object.fromEntries(members.filter(([, member]) => member !== null));
  }
  if (
    (value instanceof DuckDBListValue && type.typeId === DuckDBTypeId.LIST) ||
    (value instanceof DuckDBArrayValue && type.typeId === DuckDBTypeId.ARRAY)
  ) {
    return value.items.map((item) => exactValue(item, type.valueType));
  }
  if (value instanceof DuckDBMapValue && type.typeId === DuckDBTypeId.MAP) {
    const entries = value.entries.map(({ key, value: member }): [string, unknown] => [
      String(key),
      exactValue(member, type.valueType),
    ]);
    // With a key twice it is no object; as pairs it reaches the schema, which refuses it.
    const isObject = new Set(entries.map(([key]) => key)).size === entries.length;
    return isObject ? Object.fromEntries(entries) : entries;
  }
  return value.toString();
}

/** NaN and infinity are no numbers in JSON: as words they reach the schema, which refuses them by name. */
function float(value: number): unknown {
  return Number.isFinite(value) ? value : String(value);
}

function exactNumber(digits: string): unknown {
  const parsed = parseJsonExact(digits);
  return parsed.ok ? parsed.value : digits;
}

/** The engine hands 0.1 of four bytes over as 0.10000000149011612; nobody wrote that. */
function shortest(value: number): number {
  for (let digits = 1; digits < FLOAT_DIGITS; digits += 1) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  return value;
}

function floorToMicros(nanos: bigint): bigint {
  const micros = nanos / 1000n;
  return nanos < 0n && micros * 1000n !== nanos ? micros - 1n : micros;
}
