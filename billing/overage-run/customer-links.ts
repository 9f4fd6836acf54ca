import { and, asc, eq, gt } from 'drizzle-orm';
import { RefusedError } from '../../core/errors.js';
import type { Instant } from '../../core/time.js';
import type { AuditLog } from '../../platform/audit-log.js';
import type { OutsideAccount } from '../../platform/outbound/intent.js';
import type { ReadCustomer } from '../../platform/outbound/stripe/read-customer.js';
import { stripeCustomers } from '../../platform/sql/billing-schema.js';
import { transaction, type Sql, type SqlDatabase } from '../../platform/sql/sql.js';
import { stripeCustomerLinks } from '../../platform/sql/stripe-schema.js';
import type { Payer } from './bill-books.js';
import { ofAccount } from '../../platform/sql/of-account.js';

export type CustomerLink = typeof stripeCustomers.$inferSelect;

/**
 * Says which customer pays for an org, in this account and mode, from the next bill on; bills that were entered keep theirs. What Stripe
 * tells of a customer that paid before stays the org's.
 *
 * @param customer as Stripe has just said it is
 * @throws RefusedError `conflict` when it pays, or once paid, for another org
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
    const owner = await keepLink(database, { ...account, customerId, orgId });
    if (owner !== orgId) {
      throw new RefusedError(
        'conflict',
        `${customerId} is linked to ${owner}, or was; one customer pays for one org, ever: make another customer for ${orgId}`,
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

/** Of two that link one customer at once, the second waits for the first. Returns the org that the customer is of. */
async function keepLink(
  database: SqlDatabase,
  link: typeof stripeCustomerLinks.$inferInsert,
): Promise<string> {
  await database.insert(stripeCustomerLinks).values(link).onConflictDoNothing();
  const isOfCustomer = eq(stripeCustomerLinks.customerId, link.customerId);
  const [kept] = await database
    .select({ orgId: stripeCustomerLinks.orgId })
    .from(stripeCustomerLinks)
    .where(and(ofAccount(stripeCustomerLinks, link), isOfCustomer));
  return kept?.orgId ?? link.orgId;
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
