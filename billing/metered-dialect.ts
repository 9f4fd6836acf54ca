import type { Dialect } from '../platform/warehouse/warehouse.js';

/** The few things that reading meters asks of an engine and that each spells its own way. */
export interface MeteredDialect {
  /** A relation with the windows asked about, from a JSON array of objects. */
  windows(json: string): string;
  /** What a meter reads of an event, and a column that gives one row for each of several. */
  reading(definition: number, quantity: string): string;
  oneRowEach(readings: readonly string[]): string;
  fieldOf(reading: string, field: 'definition' | 'quantity'): string;
  /** A field of a JSON object as text; NULL where it is not there. */
  jsonField(object: string, key: string): string;
  contains(list: string, element: string): string;
}

const duckdb: MeteredDialect = {
  windows: (json) =>
    `(select unnest(from_json(${json}, '[{"window_id":"VARCHAR","org_id":"VARCHAR","definition":"INTEGER",
      "starts_at":"TIMESTAMP","ends_at":"TIMESTAMP","skips_own_key":"BOOLEAN","other_packages":["VARCHAR"],
      "is_limited":"BOOLEAN","only_packages":["VARCHAR"]}]'), max_depth := 2))`,
  reading: (definition, quantity) => `{'definition': ${definition}, 'quantity': ${quantity}}`,
  oneRowEach: (readings) => `unnest([${readings.join(', ')}])`,
  fieldOf: (reading, field) => `${reading}.${field}`,
  jsonField: (object, key) => `json_extract_string(${object}, '$."' || ${key} || '"')`,
  contains: (list, element) => `list_contains(${list}, ${element})`,
};

const clickhouse: MeteredDialect = {
  windows: (json) =>
    `format(JSONEachRow, 'window_id String, org_id String, definition Int32, starts_at DateTime64(6, \\'UTC\\'),
      ends_at DateTime64(6, \\'UTC\\'), skips_own_key Bool, other_packages Array(String), is_limited Bool,
      only_packages Array(String)', ${json})`,
  reading: (definition, quantity) =>
    `cast(tuple(${definition}, ${quantity}) as Tuple(definition Int32, quantity Nullable(Decimal(38, 12))))`,
  oneRowEach: (readings) => `arrayJoin([${readings.join(', ')}])`,
  fieldOf: (reading, field) => `tupleElement(${reading}, '${field}')`,
  jsonField: (object, key) => `JSONExtract(${object}, ${key}, 'Nullable(String)')`,
  contains: (list, element) => `has(${list}, ${element})`,
};

const DIALECTS: Readonly<Record<Dialect, MeteredDialect>> = { duckdb, clickhouse };

export function meteredDialect(dialect: Dialect): MeteredDialect {
  return DIALECTS[dialect];
}
