import type { Catalog } from '../catalog.js';

/** A version of a catalog and when it rules, half-open; null is open on that side. Instants are RFC 3339, UTC. */
export interface PublishedCatalog {
  readonly version: bigint;
  readonly catalog: Catalog;
  readonly effectiveFrom: string | null;
  readonly effectiveTo: string | null;
}

export type ColumnType = 'text' | 'bigint' | 'integer' | 'boolean' | 'date' | 'timestamp';
export type Columns = Readonly<Record<string, ColumnType>>;
/** Dates are YYYY-MM-DD, timestamps `YYYY-MM-DD HH:MM:SS.ffffff` in UTC without a zone. */
export type Cell = string | bigint | number | boolean | null;
export type Row = Readonly<Record<string, Cell>>;

interface CellTypes {
  readonly text: string;
  readonly bigint: bigint;
  readonly integer: number;
  readonly boolean: boolean;
  readonly date: string;
  readonly timestamp: string;
}
type RowOf<TableColumns extends Columns> = {
  readonly [Column in keyof TableColumns]: CellTypes[TableColumns[Column]] | null;
};

/** A table of the warehouse that is made from the catalog. */
export interface CatalogTable {
  readonly columns: Columns;
  readonly rows: (published: PublishedCatalog) => readonly Row[];
}

/** Ties a table's columns to the function that fills them; `version` comes first in both by itself. */
export function table<const TableColumns extends Columns>(
  columns: TableColumns,
  rows: (catalog: Catalog, published: PublishedCatalog) => readonly RowOf<TableColumns>[],
): CatalogTable {
  return {
    columns: { version: 'bigint', ...columns },
    rows: (published) =>
      rows(published.catalog, published).map((row) => ({ version: published.version, ...row })),
  };
}

/** RFC 3339 in UTC as the engines read it. */
export function timestampCell(instant: string | null | undefined): string | null {
  return instant == null ? null : instant.replace('T', ' ').replace('Z', '');
}
