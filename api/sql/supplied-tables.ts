import { RefusedError } from '../../core/errors.js';
import type { SuppliedTable } from '../../platform/warehouse/supplied-table.js';
import { BILLING_TABLES } from './billing-tables.js';
import { OPS_TABLES } from './ops-tables.js';
import type { Asked } from './supplier.js';

const SUPPLIERS = Object.entries({ ...BILLING_TABLES, ...OPS_TABLES });

/**
 * The tables that a statement names, wherever it does: one too many costs time and changes nothing.
 *
 * @throws RefusedError `stripe_not_configured` where it names a ledger and there is none
 */
export async function suppliedTables(statement: string, asked: Asked): Promise<SuppliedTable[]> {
  const tables: SuppliedTable[] = [];
  for (const [name, { columns, rows }] of SUPPLIERS) {
    if (!new RegExp(`\\b${name}\\b`, 'i').test(statement)) continue;
    const found = await rows(asked);
    if (found !== null) tables.push({ name, columns, rows: found });
  }
  return tables;
}

/** The same where there is no Stripe, and so no ledger, or nothing to rate by: without rows, for pages that do without. */
export async function suppliedTablesOrEmpty(statement: string, asked: Asked): Promise<SuppliedTable[]> {
  try {
    return await suppliedTables(statement, asked);
  } catch (error) {
    if (!(error instanceof RefusedError) || !['stripe_not_configured', 'no_catalog'].includes(error.code))
      throw error;
    return SUPPLIERS.map(([name, { columns }]) => ({ name, columns, rows: [] }));
  }
}
