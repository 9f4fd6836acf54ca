import { join } from 'node:path';
import { z } from 'zod';
import { openBillingDesk, type BillingDesk } from '../../billing/billing-desk.js';
import { NO_APPROVAL } from '../../billing/overage-run/approval.js';
import { runOverages, type RatedUsage } from '../../billing/overage-run/overage-run.js';
import { systemClock } from '../../cli/runtime.js';
import { parseInstant } from '../../core/time.js';
import { AuditLog } from '../../platform/audit-log.js';
import { loadConfig } from '../../platform/config.js';
import { stripeCustomers } from '../../platform/sql/billing-schema.js';
import { SecretText } from '../../platform/secrets.js';
import { openPgSql } from '../../platform/sql/pg-sql.js';
import { openPgliteSql } from '../../platform/sql/pglite-sql.js';
import type { Sql } from '../../platform/sql/sql.js';
import { sdkFor, startStripeProcess } from '../support/local-stripe.js';
import { hasPostgres, startPostgres } from '../support/postgres.js';
import { seconds, timed, type Figure } from './figure.js';
import { dueLine } from '../support/due-line.js';

const Requests = z.object({ data: z.array(z.unknown()) });
const METERS = 3;
const CONCURRENCY = 8;
const KEY = 'sk_test_local';
const ENDING = { start: parseInstant('2026-09-01T00:00:00Z'), end: parseInstant('2026-10-01T00:00:00Z') };
const NOTHING = { executions: [], installs: [], billing: [], crm: [] };
const MEBIBYTE = 1024 * 1024;
/**
 * A month of many customers with three lines each, against a Stripe in a process of its own; beside it the very same requests, sent by
 * the SDK alone.
 */
export async function benchOverageRuns(customers: number, directory: string): Promise<Figure[]> {
  const embedded = await benchOverageRun('PGlite', customers, directory, () =>
    openPgliteSql(join(directory, 'bench-billing')),
  );
  if (!hasPostgres()) return [embedded];
  const postgres = await startPostgres();
  try {
    const url = new SecretText(await postgres.createDatabase());
    const open = () => openPgSql({ url, poolSize: 2 * CONCURRENCY, timeoutMs: 30_000 });
    return [embedded, await benchOverageRun('Postgres', customers, directory, open)];
  } finally {
    await postgres.stop();
  }
}

async function benchOverageRun(
  store: string,
  customers: number,
  directory: string,
  open: () => Promise<Sql>,
): Promise<Figure> {
  const { child, url } = await startStripeProcess(join(directory, `bench-${store}.stripe`));
  const sql = await open();
  try {
    await sql.migrate();
    const desk = await openDesk(sql, url);
    await linkCustomers(desk, url, customers);
    await forgetRequests(url);
    const floor = await timed(() => sendPlainly(url, customers));
    await forgetRequests(url);
    const before = process.memoryUsage.rss();
    const run = await timed(() => bill(desk, customers));
    const { outcomes } = run.result;
    const final = outcomes.filter(({ outcome }) => outcome === 'finalized').length;
    if (final !== customers) throw new Error(`${final} of ${customers} bills are final`);
    const asked = await countRequests(url);
    const ratio = run.ms / floor.ms;
    return {
      name: `overage run of ${customers.toLocaleString('en-US')} customers, ${METERS} lines each, ${CONCURRENCY} at once, on ${store}`,
      measured: seconds(run.ms),
      floor: `${seconds(floor.ms)} the same requests by the SDK alone`,
      ratio: `${ratio.toFixed(2)}×`,
      target: `≤ ${4 + METERS} requests each`,
      isMet: asked <= customers * (4 + METERS),
      note: `${(asked / customers).toFixed(2)} requests for each customer; ${((process.memoryUsage.rss() - before) / MEBIBYTE).toFixed(0)} MiB more memory at its end`,
    };
  } finally {
    await sql.close();
    child.kill();
  }
}

function openDesk(sql: Sql, url: string): Promise<BillingDesk> {
  const { stripe: config } = loadConfig({
    STRIPE_SECRET_KEY: KEY,
    HEADGATE_STRIPE_URL: url,
    HEADGATE_STRIPE_CONCURRENCY: String(CONCURRENCY),
  });
  return openBillingDesk({
    ...{ config, sql, audit: new AuditLog(sql), clock: systemClock, holder: 'bench' },
    onProgress: () => undefined,
    onUnexpected: (error) => {
      throw error;
    },
    signal: new AbortController().signal,
  });
}

const orgOf = (index: number): string => `org_${String(index).padStart(6, '0')}`;

async function linkCustomers(desk: BillingDesk, url: string, count: number): Promise<void> {
  const stripe = sdkFor(url, KEY);
  await inParallel(count, async (index) => {
    const { id: customerId } = await stripe.customers.create({ name: orgOf(index) });
    await desk.sql.database.insert(stripeCustomers).values({
      ...{ ...desk.store.account, orgId: orgOf(index), customerId, currency: null, daysUntilDue: null },
      ...{ collectionMethod: 'charge_automatically', linkedAt: systemClock(), linkedBy: 'bench' },
    });
  });
}

function bill(desk: BillingDesk, customers: number) {
  const lines = Array.from({ length: customers }, (_, index) =>
    Array.from({ length: METERS }, (__, meter) =>
      dueLine(orgOf(index), `meter_${meter}`, 500n + BigInt(meter), ENDING),
    ),
  ).flat();
  const usage: RatedUsage = {
    ...{ runId: 'run_bench', watermark: NOTHING, lines: () => Promise.resolve(lines) },
    again: () => Promise.resolve(lines),
    lateUsage: () => 'credit_note',
  };
  const request = { month: '2026-09-01', ending: ENDING, orgId: null, approval: NO_APPROVAL, actor: 'bench' };
  return runOverages(usage, request, desk);
}

/** What a run asks for of each customer, and nothing else: a draft, its items, a look, its end. */
async function sendPlainly(url: string, customers: number): Promise<void> {
  const stripe = sdkFor(url, KEY);
  await inParallel(customers, async (index) => {
    const { id: customer } = await stripe.customers.create({ name: `plain ${index}` });
    const { id: invoice } = await stripe.invoices.create({
      ...{ customer, currency: 'usd', auto_advance: false, pending_invoice_items_behavior: 'exclude' },
    });
    for (let meter = 0; meter < METERS; meter += 1) {
      await stripe.invoiceItems.create({ customer, invoice, currency: 'usd', amount: 500 + meter });
    }
    await stripe.invoices.retrieve(invoice);
    await stripe.invoices.finalizeInvoice(invoice, { auto_advance: true });
  });
}

async function inParallel(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await work(index);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

async function forgetRequests(url: string): Promise<void> {
  await fetch(`${url}/_local/requests`, { method: 'DELETE' });
}

async function countRequests(url: string): Promise<number> {
  return Requests.parse(await (await fetch(`${url}/_local/requests`)).json()).data.length;
}
