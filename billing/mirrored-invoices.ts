import { and, eq, gt, inArray, lte, or } from 'drizzle-orm';
import type { Instant } from '../core/time.js';
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

/** What all orgs should have paid by `now` in a mode and did not, or was given up: all that dunning needs of them. */
export function arrearsIn(sql: Sql, mode: OutsideAccount['mode'], now: Instant): Promise<MirroredInvoice[]> {
  return sql.database
    .select()
    .from(stripeInvoices)
    .where(
      and(
        eq(stripeInvoices.mode, mode),
        gt(stripeInvoices.remainingMinor, 0n),
        or(
          eq(stripeInvoices.status, 'uncollectible'),
          and(
            eq(stripeInvoices.status, 'open'),
            or(lte(stripeInvoices.dueAt, now), lte(stripeInvoices.failingSince, now)),
          ),
        ),
      ),
    );
}
