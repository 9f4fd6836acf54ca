import { and, asc, eq, gt } from 'drizzle-orm';
import type { OutsideAccount } from '../../platform/outbound/intent.js';
import { ofAccount } from '../../platform/sql/of-account.js';
import type { Sql } from '../../platform/sql/sql.js';
import { stripeCustomerLinks } from '../../platform/sql/stripe-schema.js';

const CUSTOMERS_AT_ONCE = 500;

/** The org that a customer pays for, or once paid for; null while none is linked to it. */
export async function orgOfCustomer(
  sql: Sql,
  account: OutsideAccount,
  customerId: string,
): Promise<string | null> {
  const [link] = await sql.database
    .select({ orgId: stripeCustomerLinks.orgId })
    .from(stripeCustomerLinks)
    .where(and(ofAccount(stripeCustomerLinks, account), eq(stripeCustomerLinks.customerId, customerId)));
  return link?.orgId ?? null;
}

/** All that are linked or were: one that pays no more may still have a subscription and open invoices. */
export async function linkedCustomers(sql: Sql, account: OutsideAccount): Promise<string[]> {
  const found: string[] = [];
  for (let after = ''; ; after = found.at(-1) ?? '') {
    const page = await sql.database
      .select({ customerId: stripeCustomerLinks.customerId })
      .from(stripeCustomerLinks)
      .where(and(ofAccount(stripeCustomerLinks, account), gt(stripeCustomerLinks.customerId, after)))
      .orderBy(asc(stripeCustomerLinks.customerId))
      .limit(CUSTOMERS_AT_ONCE);
    found.push(...page.map(({ customerId }) => customerId));
    if (page.length < CUSTOMERS_AT_ONCE) return found;
  }
}
