import { join } from 'node:path';
import type Stripe from 'stripe';
import type { BillingDesk } from '../../billing/billing-desk.js';
import type { OverageLine } from '../../billing/overage-plan.js';
import { NO_APPROVAL } from '../../billing/overage-run/approval.js';
import type { KeptBill } from '../../billing/overage-run/bill-store.js';
import { checkBill } from '../../billing/overage-run/check-bill.js';
import { linkCustomer, listLinks } from '../../billing/overage-run/customer-links.js';
import { runOverages } from '../../billing/overage-run/overage-run.js';
import { usageOfRun } from '../../billing/overage-run/usage-of-run.js';
import { listBills, listWaiting } from '../../billing/overage-run/read-bills.js';
import { ratedLines } from '../../billing/preview-overage.js';
import { soleVersion } from '../../billing/catalog-versions.js';
import type { Period } from '../../core/time.js';
import type { Runtime } from '../runtime.js';
import type { DemoCompany } from './company.js';

/** What the demo billed, to a Stripe of its own on this machine. */
export interface DemoBills {
  readonly bills: readonly KeptBill[];
  readonly waiting: number;
  /** What stands there and was not rated, or the other way round. */
  readonly breaks: number;
  readonly secretKey: string;
  /** Reads them, also when that Stripe is gone. */
  readonly desk: BillingDesk;
}

/** Where the local Stripe keeps it, in the data directory. */
export const STRIPE_STATE = join('demo', 'stripe.state');
const MOST_BILLS = 10_000;

/**
 * Closes the month: links a customer to each org that owes, and bills them. Nothing leaves the machine, whatever keys are set. Again, it
 * finds everything billed.
 */
export async function billDemoMonth(
  company: DemoCompany,
  { month, ending }: { readonly month: string; readonly ending: Period },
  { services, directory }: Runtime,
): Promise<DemoBills> {
  const { startLocalStripe } = await import('../../fixtures/stripe/local-stripe.js');
  const stateFile = join(directory.root, STRIPE_STATE);
  const server = await startLocalStripe({ now: () => Number(services.clock() / 1000n), stateFile });
  try {
    services.onProgress(`Billing ${month.slice(0, 7)} to a local Stripe …`);
    const { desk, stripe } = await openDesk(server, services);
    const { sql } = services;
    await services.runs.withRun({ runId: company.run.runId }, async ({ run, reader }) => {
      const rating = { catalogs: soleVersion(company.catalog), ending };
      await linkOwing(await ratedLines(reader, { ...rating, asOf: run.asOf }), stripe, desk);
      const usage = usageOfRun({ run, reader }, rating, services.runs);
      await runOverages(usage, { month, ending, orgId: null, approval: NO_APPROVAL, actor: 'demo' }, desk);
    });
    const { account } = desk.store;
    const bills = await listBills(sql, account, { month }, { after: null, limit: MOST_BILLS });
    let breaks = 0;
    for (const bill of bills) breaks += (await checkBill(bill, desk)).length;
    const waiting = await listWaiting(sql, account, { after: null, limit: MOST_BILLS });
    return { bills, waiting: waiting.length, breaks, secretKey: server.secretKey, desk };
  } finally {
    await server.stop();
  }
}

async function openDesk(
  { url, secretKey }: { readonly url: string; readonly secretKey: string },
  services: Runtime['services'],
): Promise<{ desk: BillingDesk; stripe: Stripe }> {
  const [{ openBillingDesk }, { stripeClient }, { loadConfig }] = await Promise.all([
    import('../../billing/billing-desk.js'),
    import('../../platform/outbound/stripe/stripe-client.js'),
    import('../../platform/config.js'),
  ]);
  const { stripe: config } = loadConfig({ STRIPE_SECRET_KEY: secretKey, HEADGATE_STRIPE_URL: url });
  const { sql, audit, clock, logger, shutdown } = services;
  const desk = await openBillingDesk({
    ...{ config, sql, audit, clock, holder: 'headgate demo', signal: shutdown.signal },
    onProgress: () => undefined,
    onUnexpected: (error) => {
      logger.error({ error }, 'demo: billing failed unexpectedly');
    },
  });
  if (config === null) throw new Error('a key was set');
  return { desk, stripe: stripeClient(config) };
}

/** One customer for each org, whose name is a token here: its id is what Stripe is told. */
async function linkOwing(
  lines: readonly OverageLine[],
  stripe: Stripe,
  { store, sql, audit, clock }: BillingDesk,
): Promise<void> {
  const links = await listLinks(sql, store.account, { after: '', limit: MOST_BILLS });
  const linked = new Set(links.map(({ orgId }) => orgId));
  const owing = new Set(lines.filter(({ status }) => status === 'due').map(({ orgId }) => orgId));
  for (const orgId of [...owing].filter((one) => !linked.has(one)).sort()) {
    // A demo that was killed finds the customer that it made.
    const options = { idempotencyKey: `demo customer ${orgId}` };
    const { id } = await stripe.customers.create({ name: orgId, metadata: { org_id: orgId } }, options);
    const customer = { customerId: id, name: orgId, currency: null };
    const collection = { method: 'send_invoice', daysUntilDue: 30 } as const;
    await linkCustomer(
      { sql, audit },
      store.account,
      { orgId, customer, collection, actor: 'demo' },
      clock(),
    );
  }
}
