import { and, eq, inArray } from 'drizzle-orm';
import type { OutsideAccount } from '../platform/outbound/intent.js';
import type { Sql } from '../platform/sql/sql.js';
import { stripeInvoices } from '../platform/sql/stripe-schema.js';
import { ofAccount } from '../platform/sql/of-account.js';

/** An invoice as Stripe last said it stands. */
export type MirroredInvoice = typeof stripeInvoices.$inferSelect;

/** By Stripe's id. What Stripe has not told of yet is not among them. */
export async function mirroredInvoices(
  sql: Sql,
  account: OutsideAccount,
  invoiceIds: readonly string[],
): Promise<ReadonlyMap<string, MirroredInvoice>> {
  if (invoiceIds.length === 0) return new Map();
  const rows = await sql.database
    .select()
    .from(stripeInvoices)
    .where(and(ofAccount(stripeInvoices, account), inArray(stripeInvoices.invoiceId, [...invoiceIds])));
  return new Map(rows.map((row) => [row.invoiceId, row]));
}

/** What an org owes in a mode, or was given up of it: all that dunning needs of it. */
export function owedBy(sql: Sql, mode: OutsideAccount['mode'], orgId: string): Promise<MirroredInvoice[]> {
  return sql.database
    .select()
    .from(stripeInvoices)
    .where(
      and(
        eq(stripeInvoices.mode, mode),
        eq(stripeInvoices.orgId, orgId),
        inArray(stripeInvoices.status, ['open', 'uncollectible']),
      ),
    );
}
