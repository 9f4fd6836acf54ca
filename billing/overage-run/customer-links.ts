import { and, asc, eq, gt } from 'drizzle-orm';
import { RefusedError } from '../../core/errors.js';
import type { Instant } from '../../core/time.js';
import type { AuditLog } from '../../platform/audit-log.js';
import type { OutsideAccount } from '../../platform/outbound/intent.js';
import type { ReadCustomer } from '../../platform/outbound/stripe/read-customer.js';
import { stripeCustomers } from '../../platform/sql/billing-schema.js';
import { transaction, type Sql } from '../../platform/sql/sql.js';
import type { Payer } from './bill-plan.js';
import { ofAccount } from './of-account.js';

export type CustomerLink = typeof stripeCustomers.$inferSelect;

/**
 * Says which customer pays for an org, in this account and mode, from the next bill on; bills that were entered keep theirs.
 *
 * @param customer as Stripe has just said it is
 * @throws RefusedError `conflict` when it pays for another org already
 */
export async function linkCustomer(
  { sql, audit }: { sql: Sql; audit: AuditLog },
  account: OutsideAccount,
  link: {
    readonly orgId: string;
    readonly customer: ReadCustomer;
    readonly collection: Payer['collection'];
    readonly actor: string;
  },
  now: Instant,
): Promise<CustomerLink> {
  const { orgId, customer, collection, actor } = link;
  const { customerId, currency } = customer;
  return transaction(sql, async (database) => {
    const [other] = await database
      .select()
      .from(stripeCustomers)
      .where(and(ofAccount(stripeCustomers, account), eq(stripeCustomers.customerId, customerId)))
      .for('update');
    if (other !== undefined && other.orgId !== orgId) {
      throw new RefusedError(
        'conflict',
        `${customerId} pays for ${other.orgId} already; one customer pays for one org`,
      );
    }
    const row = {
      ...{ ...account, orgId, customerId, currency, linkedAt: now, linkedBy: actor },
      collectionMethod: collection.method,
      daysUntilDue: collection.method === 'send_invoice' ? collection.daysUntilDue : null,
    };
    const target = [stripeCustomers.account, stripeCustomers.mode, stripeCustomers.orgId];
    await database.insert(stripeCustomers).values(row).onConflictDoUpdate({ target, set: row });
    const details = { ...account, customerId, collection: collection.method };
    await audit.appendIn(database, { actor, action: 'billing.link', target: orgId, details }, now);
    return row;
  });
}

/** By org, after one. */
export function listLinks(
  sql: Sql,
  account: OutsideAccount,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<CustomerLink[]> {
  return sql.database
    .select()
    .from(stripeCustomers)
    .where(and(ofAccount(stripeCustomers, account), gt(stripeCustomers.orgId, after)))
    .orderBy(asc(stripeCustomers.orgId))
    .limit(limit);
}
