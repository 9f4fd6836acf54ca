import type { Dialect } from '../platform/warehouse/warehouse.js';

export type ColumnType = 'text' | 'texts' | 'integer' | 'boolean' | 'instant';

/** The few things that reading meters asks of an engine and that each spells its own way. */
export interface MeteredDialect {
  /** A relation of the rows of a JSON array of objects. */
  rows(json: string, columns: Readonly<Record<string, ColumnType>>): string;
  /** What a meter reads of an event, and a column that gives one row for each of several. */
  reading(definition: number, quantity: string, value: string | null): string;
  oneRowEach(readings: readonly string[]): string;
  fieldOf(reading: string, field: 'definition' | 'quantity' | 'value'): string;
  /** A field of a JSON object as text; NULL where it is not there. */
  jsonField(object: string, key: string): string;
  /** A text as a quantity; NULL where it is none. */
  quantityIn(text: string): string;
  contains(list: string, element: string): string;
  /** `column` of the next row of a window; an instant far away in the last one. */
  nextInstant(column: string, over: string): string;
  /** A quantity's whole part, and its fraction in 10⁻¹²: integers of 128 bits. */
  wholeOf(quantity: string): string;
  fractionOf(quantity: string): string;
  microsBetween(from: string, to: string): string;
  asText(integer: string): string;
}

/** What an event's own quantities look like: nothing that the engines would read differently. */
const QUANTITY = String.raw`^[0-9]{1,18}([.][0-9]{1,12})?$`;
const FAR_AWAY = '2299-12-31 00:00:00';

const DUCKDB_TYPES: Readonly<Record<ColumnType, string>> = {
  text: '"VARCHAR"',
  texts: '["VARCHAR"]',
  integer: '"INTEGER"',
  boolean: '"BOOLEAN"',
  instant: '"TIMESTAMP"',
};
const CLICKHOUSE_TYPES: Readonly<Record<ColumnType, string>> = {
  text: 'String',
  texts: 'Array(String)',
  integer: 'Int32',
  boolean: 'Bool',
  instant: String.raw`DateTime64(6, \'UTC\')`,
};

const duckdb: MeteredDialect = {
  rows: (json, columns) => {
    const shape = Object.entries(columns).map(([name, type]) => `"${name}":${DUCKDB_TYPES[type]}`);
    return `(select unnest(from_json(${json}, '[{${shape.join(',')}}]'), max_depth := 2))`;
  },
  reading: (definition, quantity, value) =>
    `{'definition': ${definition}, 'quantity': ${quantity}, 'value': cast(${value ?? 'null'} as varchar)}`,
  oneRowEach: (readings) => `unnest([${readings.join(', ')}])`,
  fieldOf: (reading, field) => `${reading}.${field}`,
  jsonField: (object, key) => `json_extract_string(${object}, '$."' || ${key} || '"')`,
  quantityIn: (text) =>
    `(case when regexp_matches(${text}, '${QUANTITY}') then try_cast(${text} as decimal(38, 12)) end)`,
  contains: (list, element) => `list_contains(${list}, ${element})`,
  nextInstant: (column, over) => `lead(${column}, 1, timestamp '${FAR_AWAY}') over (${over})`,
  wholeOf: (quantity) => `cast(trunc(${quantity}) as hugeint)`,
  fractionOf: (quantity) => `cast((${quantity} - trunc(${quantity})) * 1000000000000 as hugeint)`,
  microsBetween: (from, to) => `(epoch_us(${to}) - epoch_us(${from}))`,
  asText: (integer) => `cast(${integer} as varchar)`,
};

const clickhouse: MeteredDialect = {
  rows: (json, columns) => {
    const shape = Object.entries(columns).map(([name, type]) => `${name} ${CLICKHOUSE_TYPES[type]}`);
    return `format(JSONEachRow, '${shape.join(', ')}', ${json})`;
  },
  reading: (definition, quantity, value) =>
    `cast(tuple(${definition}, ${quantity}, ${value ?? 'null'}) as
      Tuple(definition Int32, quantity Nullable(Decimal(38, 12)), value Nullable(String)))`,
  oneRowEach: (readings) => `arrayJoin([${readings.join(', ')}])`,
  fieldOf: (reading, field) => `tupleElement(${reading}, '${field}')`,
  jsonField: (object, key) => `JSONExtract(${object}, ${key}, 'Nullable(String)')`,
  quantityIn: (text) => `(case when match(${text}, '${QUANTITY}') then toDecimal128OrNull(${text}, 12) end)`,
  contains: (list, element) => `has(${list}, ${element})`,
  // Its window functions look no further than their frame.
  nextInstant: (column, over) =>
    `leadInFrame(${column}, 1, toDateTime64('${FAR_AWAY}', 6, 'UTC')) over (${over}
      rows between unbounded preceding and unbounded following)`,
  wholeOf: (quantity) => `toInt128(truncate(${quantity}))`,
  fractionOf: (quantity) => `toInt128((${quantity} - truncate(${quantity})) * 1000000000000)`,
  microsBetween: (from, to) => `(toUnixTimestamp64Micro(${to}) - toUnixTimestamp64Micro(${from}))`,
  asText: (integer) => `toString(${integer})`,
};

const DIALECTS: Readonly<Record<Dialect, MeteredDialect>> = { duckdb, clickhouse };

export function meteredDialect(dialect: Dialect): MeteredDialect {
  return DIALECTS[dialect];
}
