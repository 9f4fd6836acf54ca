import type { LocalStripe } from '../../fixtures/stripe/local-stripe.js';
import { NO_APPROVAL } from '../../billing/overage-run/approval.js';
import { linkCustomer } from '../../billing/overage-run/customer-links.js';
import { runOverages } from '../../billing/overage-run/overage-run.js';
import { usageOfRun } from '../../billing/overage-run/usage-of-run.js';
import { previewOverage } from '../../billing/preview-overage.js';
import type { Runtime } from '../../cli/runtime.js';
import { startOfDay } from '../../core/calendar.js';
import { addMonths, formatDate, type CalendarDate } from '../../core/time.js';
import { sdkFor } from './local-stripe.js';

/** Bills what a month's last day ends, as somebody would who linked a customer to each org that owes. */
export async function billMonth(
  { services }: Runtime,
  {
    first,
    zone,
    stripe,
  }: { readonly first: CalendarDate; readonly zone: string; readonly stripe: LocalStripe },
): Promise<void> {
  const ending = { start: startOfDay(first, zone), end: startOfDay(addMonths(first, 1), zone) };
  const desk = await services.billing();
  const sdk = sdkFor(stripe.url, stripe.secretKey);
  const catalogs = await services.catalogs.published();
  await services.runs.withRun({}, async ({ run, reader }) => {
    const { lines } = await previewOverage(reader, { catalogs, ending, asOf: run.asOf });
    for (const orgId of new Set(lines.map((line) => line.orgId))) {
      const { id } = await sdk.customers.create({ name: orgId });
      const customer = { customerId: id, name: orgId, currency: null };
      const collection = { method: 'charge_automatically' } as const;
      const link = { orgId, customer, collection, actor: 'test' };
      await linkCustomer(services, desk.store.account, link, services.clock());
    }
    const usage = usageOfRun({ run, reader }, { catalogs, ending }, services.runs);
    const request = { month: formatDate(first), ending, orgId: null, approval: NO_APPROVAL, actor: 'test' };
    await runOverages(usage, request, desk);
  });
}
