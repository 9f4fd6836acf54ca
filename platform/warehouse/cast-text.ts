import type { Dialect } from './warehouse.js';

/** What a bound text may be read as: dates are YYYY-MM-DD, instants RFC 3339. */
export type TextType = 'text' | 'date' | 'timestamp' | 'bigint';

const CASTS: Readonly<Record<Dialect, Readonly<Record<TextType, (text: string) => string>>>> = {
  duckdb: {
    text: (text) => `cast(${text} as varchar)`,
    date: (text) => `cast(${text} as date)`,
    timestamp: (text) => `cast(${text} as timestamp)`,
    bigint: (text) => `cast(${text} as bigint)`,
  },
  clickhouse: {
    text: (text) => `toString(${text})`,
    date: (text) => `toDate(${text})`,
    // What it calls a timestamp has no fraction of a second.
    timestamp: (text) => `parseDateTime64BestEffort(${text}, 6, 'UTC')`,
    bigint: (text) => `toInt64(${text})`,
  },
};

/** @param text an expression that is a text, `$name` most of the time */
export function castText(dialect: Dialect, text: string, type: TextType): string {
  return CASTS[dialect][type](text);
}
