import { and, eq, type SQL } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { OutsideAccount } from '../outbound/intent.js';

/** Rows of one account in one mode: what another one has is nobody's business here. */
export function ofAccount(
  table: { readonly account: PgColumn; readonly mode: PgColumn },
  { account, mode }: OutsideAccount,
): SQL | undefined {
  return and(eq(table.account, account), eq(table.mode, mode));
}
