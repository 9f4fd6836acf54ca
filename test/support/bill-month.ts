import { billMonth } from '../../api/billing/bill-month.js';
import type { Services } from '../../api/services.js';
import { linkCustomer } from '../../billing/overage-run/customer-links.js';
import type { LocalStripe } from '../../fixtures/stripe/local-stripe.js';
import { sdkFor } from './local-stripe.js';

/** Bills the last whole month as somebody would: a customer for each org that the plan holds back, and then the run. */
export async function billLastMonth(services: Services, stripe: LocalStripe): Promise<void> {
  const request = { month: undefined, orgId: undefined, actor: 'test' };
  const desk = await services.billing();
  const sdk = sdkFor(stripe.url, stripe.secretKey);
  const { report } = await billMonth(services, { ...request, isDryRun: true });
  const held = report.plan.heldBack.filter(({ cause }) => cause === 'no_customer');
  const unlinked = new Set(held.map((one) => one.orgId));
  for (const orgId of unlinked) {
    const { id } = await sdk.customers.create({ name: orgId });
    const customer = { customerId: id, name: orgId, currency: null };
    const collection = { method: 'charge_automatically' } as const;
    await linkCustomer(
      services,
      desk.store.account,
      { orgId, customer, collection, actor: 'test' },
      services.clock(),
    );
  }
  await billMonth(services, { ...request, isDryRun: false });
}
