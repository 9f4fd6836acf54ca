import { MARKET_TABLES } from './catalog/tables-market.js';
import { PARTNER_TABLES } from './catalog/tables-partners.js';
import { PRODUCT_TABLES } from './catalog/tables-products.js';
import { SCORE_TABLES } from './catalog/tables-scores.js';
import { USAGE_TABLES } from './catalog/tables-usage.js';
import type { CatalogTable, Columns, PublishedCatalog, Row } from './catalog/tables.js';

const TABLES = { ...MARKET_TABLES, ...PRODUCT_TABLES, ...USAGE_TABLES, ...PARTNER_TABLES, ...SCORE_TABLES };

export type CatalogTableName = keyof typeof TABLES;

/** The catalog's tables in the warehouse: name → column → type. Every table has `version` first. */
export const CATALOG_TABLES: Readonly<Record<CatalogTableName, Columns>> = mapTables(
  ({ columns }) => columns,
);

export interface TableContents {
  readonly columns: Columns;
  readonly rows: readonly Row[];
}

/**
 * The tables of all published versions together; with no version, every table is there and empty.
 * Amounts are bigint minor units, quantities and rates decimal text.
 */
export function catalogTables(
  versions: readonly PublishedCatalog[],
): Readonly<Record<CatalogTableName, TableContents>> {
  return mapTables(({ columns, rows }) => ({
    columns,
    rows: versions.flatMap((published) => rows(published)),
  }));
}

function mapTables<Value>(
  toValue: (table: CatalogTable) => Value,
): Readonly<Record<CatalogTableName, Value>> {
  const entries = Object.entries(TABLES).map(([name, table]) => [name, toValue(table)] as const);
  // fromEntries forgets the names; they are those of TABLES.
  return Object.fromEntries(entries) as Record<CatalogTableName, Value>;
}
