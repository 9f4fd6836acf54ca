import type { Dialect } from './warehouse.js';

/**
 * How an engine spells a digest that no order changes: the sum of the last 64 bits of each text's MD5, read as an integer whose first
 * byte is the lowest, without overflow. `core/event-set.ts` works out the same.
 */
export interface DigestSql {
  readonly lineFeed: string;
  /** The sum over `text`, as text; '0' over nothing. */
  readonly sumOf: (text: string) => string;
}

const SPELLINGS: Readonly<Record<Dialect, DigestSql>> = {
  duckdb: {
    lineFeed: 'chr(10)',
    sumOf: (text) => `cast(coalesce(sum(cast(md5_number_lower(${text}) as hugeint)), 0) as varchar)`,
  },
  clickhouse: {
    lineFeed: 'char(10)',
    sumOf: (text) => `toString(sum(cast(reinterpretAsUInt64(substring(MD5(${text}), 9, 8)) as Int128)))`,
  },
};

export function digestSql(dialect: Dialect): DigestSql {
  return SPELLINGS[dialect];
}
