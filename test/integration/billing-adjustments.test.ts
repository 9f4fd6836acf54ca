import { afterAll, beforeAll, expect, test } from 'vitest';
import type Stripe from 'stripe';
import { z } from 'zod';
import { createApp } from '../../api/app.js';
import type { LocalStripe } from '../../fixtures/stripe/local-stripe.js';
import { readCatalogText } from '../../platform/catalog-file.js';
import { openCompany, type TestCompany } from '../support/company.js';
import { sdkFor, startTestStripe } from '../support/local-stripe.js';
import { catalogDocument, plan } from '../support/rating.js';

/*
 * A month with everything that changes what usage comes to, in three currencies, against a local Stripe; then late usage, usage that is
 * taken back, a credit that is voided, and the month after. The sums of January are those of billing/adjustments/adjust-plan.test.ts.
 */
const AS_OF = '2026-03-02T00:00:00Z';
const others = (JPY: string, KWD: string) => [
  { amount: JPY, currency: 'JPY' },
  { amount: KWD, currency: 'KWD' },
];
const METERED = {
  allowances: { ops: { quantity: '1000' } },
  overage: {
    ops: { model: 'per_unit', amount: '0.05', currency: 'USD', otherCurrencies: others('7.25', '0.0155') },
  },
  discountsCoverOverage: true,
};
const DOCUMENT = catalogDocument({
  currencies: ['USD', 'JPY', 'KWD'],
  plans: {
    growth: plan({
      ...METERED,
      stopPolicy: {
        default: 'soft',
        spendCap: { amount: '60.00', currency: 'USD', otherCurrencies: others('9999', '20.005') },
      },
      minimumCommitment: { amount: '70.00', currency: 'USD', otherCurrencies: others('10001', '18.000') },
    }),
    light: plan({ ...METERED, minimumCommitment: { amount: '10.00', currency: 'USD' } }),
  },
});

const envelope = (id: string, type: string, subject: string, time: string, data: object): string =>
  JSON.stringify({ specversion: '1.0', source: '/test', id, type, subject, time, data });
const subscribed = (org: string, productId: string, currency: string): string => {
  const item = { itemId: 'si_1', kind: 'plan', productId, quantity: 1, unitAmountMinor: 4900 };
  return envelope(`sub ${org}`, 'subscription.started', org, '2026-01-01T00:00:00Z', {
    ...{ subscriptionId: `sub_${org}`, currency, discounts: [{ percentOff: '12.5' }] },
    items: [{ ...item, interval: 'month', intervalCount: 1 }],
  });
};
const used = (org: string, ops: number, id = `${org} ${ops}`, time = '2026-01-15T00:00:00Z'): string =>
  envelope(id, 'execution.completed', org, time, {
    ...{ executionId: id, packageId: 'any', durationMs: 5, usage: { ops } },
  });
const grant = (org: string, creditId: string, data: object): string =>
  envelope(`${org} ${creditId}`, 'credit.granted', org, '2026-01-02T00:00:00Z', {
    ...{ creditId, reason: 'prepaid', ...data },
  });
const voided = (id: string, targetType: string, targetId: string, subject: string): string =>
  envelope(id, 'event.voided', subject, '2026-02-20T00:00:00Z', {
    ...{ targetType, targetSource: '/test', targetId, reason: 'a test' },
  });

const BIG: readonly [org: string, currency: string, first: string, second: string][] = [
  ['org_usd', 'USD', '2000', '3000'],
  ['org_jpy', 'JPY', '3000', '5000'],
  ['org_kwd', 'KWD', '1234', '10000'],
];
/** Marts tell the company's total in dollars; billing converts nothing. */
const rates = ['JPY', 'KWD'].flatMap((base) =>
  ['2026-01-31', '2026-02-28', '2026-03-01'].map((date) =>
    envelope(`${base} ${date}`, 'fx.rate_published', 'company', `${date}T00:00:00Z`, {
      ...{ base, quote: 'USD', rate: '1.5', date, source: 'a test' },
    }),
  ),
);
const LINES = [
  ...rates,
  ...BIG.flatMap(([org, currency, first, second]) => [
    subscribed(org, 'growth', currency),
    used(org, 3_000),
    grant(org, 'cr_ops', { meter: 'ops', quantity: '300' }),
    grant(org, 'cr_first', { amountMinor: first, currency, priority: 1 }),
    grant(org, 'cr_second', { amountMinor: second, currency }),
  ]),
  subscribed('org_late', 'light', 'USD'),
  used('org_late', 1_100),
  grant('org_late', 'cr_1', { amountMinor: '400', currency: 'USD' }),
];

const Lines = z.array(
  z.looseObject({
    line_id: z.string(),
    kind: z.string(),
    description: z.string().nullable(),
    amount_minor: z.string(),
  }),
);
const Report = z.looseObject({
  bills: z.array(z.looseObject({ bill_id: z.string(), org_id: z.string(), amount_minor: z.string() })),
  waiting: z.array(z.looseObject({ org_id: z.string(), amount_minor: z.string() })),
  held_back: z.array(z.unknown()),
  outcomes: z.array(z.looseObject({ outcome: z.string() })),
});

let server: LocalStripe;
let stripe: Stripe;
let company: TestCompany;
let app: ReturnType<typeof createApp>;
const customers = new Map<string, string>();

beforeAll(async () => {
  server = await startTestStripe();
  stripe = sdkFor(server.url, server.secretKey);
  company = await openCompany(undefined, {
    STRIPE_SECRET_KEY: server.secretKey,
    HEADGATE_STRIPE_URL: server.url,
  });
  const reading = readCatalogText(JSON.stringify(DOCUMENT), 'adjusted.json');
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  await company.runtime.services.publishCatalog(reading.file, 'test');
  app = createApp(company.runtime.services);
  await tell(LINES);
  for (const org of [...BIG.map(([one]) => one), 'org_late']) {
    const { id } = await stripe.customers.create({ name: org });
    customers.set(org, id);
    await call('PUT', `/v1/billing/customers/${org}`, { customer_id: id });
  }
}, 300_000);
afterAll(async () => {
  await company.remove();
  await server.stop();
});

async function tell(lines: readonly string[]): Promise<void> {
  await company.ingest(lines);
  await company.transform(AS_OF);
}
async function call(method: string, path: string, json?: unknown): Promise<unknown> {
  const response = await app.request(path, {
    method,
    headers: {
      authorization: `Bearer ${company.runtime.services.localToken}`,
      'content-type': 'application/json',
    },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  const body: unknown = await response.json();
  if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(body)}`);
  return body;
}
const run = async (month = '2026-01') => Report.parse(await call('POST', '/v1/billing/runs', { month }));
const preview = async (query: string) =>
  z
    .looseObject({
      lines: Lines,
      totals: z.array(z.object({ currency: z.string(), amount_minor: z.string() })),
    })
    .parse(await call('GET', `/v1/billing/preview?month=2026-01${query}`));
const amounts = (lines: z.infer<typeof Lines>) =>
  Object.fromEntries(
    lines.map(({ kind, description, amount_minor: amount }) => {
      const credit = /cr_\w+/.exec(description ?? '')?.[0];
      return [credit ?? kind, Number(amount)];
    }),
  );
const invoices = async (org: string) =>
  (await stripe.invoices.list({ customer: customers.get(org) ?? '' })).data.map(({ total, status }) => [
    total,
    status,
  ]);
const credits = async (org: string) =>
  z
    .looseObject({
      credits: z.array(z.looseObject({ credit_id: z.string(), used: z.string(), left: z.string() })),
    })
    .parse(await call('GET', `/v1/credits?org=${org}`))
    .credits.map(({ credit_id: id, used: spent, left }) => [id, spent, left]);
async function linesOfBills(): Promise<z.infer<typeof Lines>> {
  const { invoices: bills } = z
    .looseObject({ invoices: z.array(z.looseObject({ bill_id: z.string() })) })
    .parse(await call('GET', '/v1/invoices'));
  const all: z.infer<typeof Lines> = [];
  for (const { bill_id: id } of bills) {
    all.push(...z.looseObject({ lines: Lines }).parse(await call('GET', `/v1/invoices/${id}`)).lines);
  }
  return all;
}
async function expectReplayed(): Promise<void> {
  const ids = new Set((await linesOfBills()).map(({ line_id: id }) => id));
  expect(ids.size).toBeGreaterThan(0);
  for (const id of ids) {
    const replay = await call('GET', `/v1/billing/lines/${id}/replay`);
    expect(replay, JSON.stringify(replay)).toMatchObject({ is_same: true });
  }
}

test.each([
  ['org_usd', [10_000, -1_500, -2_500, -750, 1_750, -2_000, -3_000]],
  ['org_jpy', [14_500, -2_175, -2_326, -1_250, 1_252, -3_000, -5_000]],
  ['org_kwd', [31_000, -4_650, -6_345, -2_501, 496, -1_234, -10_000]],
])(
  'the preview of %s shows each of them, in words',
  async (org, [usage, ops, cap, coupon, minimum, a, b]) => {
    const { lines } = await preview(`&org=${org}`);
    expect(amounts(lines)).toEqual({
      ...{ usage, cr_ops: ops, cap, coupon, commitment: minimum, cr_first: a, cr_second: b },
    });
  },
);

test('the run bills what the preview says, to the cent; what can not be charged of a dinar waits', async () => {
  const { totals } = await preview('');
  // org_late: 5.00, less 12.5% rounded is 4.38; 10.00 at least, of which 4.00 are prepaid. It and 20.00 of org_usd.
  expect(totals.map(({ currency, amount_minor: amount }) => [currency, amount])).toEqual([
    ['JPY', '2001'],
    ['KWD', '6766'],
    ['USD', '2600'],
  ]);
  const report = await run();
  expect(report.held_back).toEqual([]);
  expect(report.outcomes.map(({ outcome }) => outcome)).toEqual(Array(4).fill('finalized'));
  // Of dinars the last digit can't be charged: 31.000 − 4.650 − 6.340 − 2.500 + 0.490 − 1.230 − 10.000 are 6.770. That is more than
  // the 6.766 that are owed, so 0.010 come off again, and 0.006 wait.
  expect(report.waiting).toMatchObject([{ org_id: 'org_kwd', amount_minor: '6' }]);
  expect(await invoices('org_usd')).toEqual([[2_000, 'open']]);
  expect(await invoices('org_jpy')).toEqual([[2_001, 'open']]);
  expect(await invoices('org_kwd')).toEqual([[6_760, 'open']]);
  expect(await invoices('org_late')).toEqual([[600, 'open']]);
  expect(await run()).toMatchObject({ bills: [], waiting: [], outcomes: [] });
}, 300_000);

test('the customer reads on the invoice what each item is', async () => {
  const { data } = await stripe.invoiceItems.list({ customer: customers.get('org_late') ?? '' });
  expect(data.map(({ amount, description }) => `${description ?? ''} = ${amount}`).sort()).toEqual([
    'Discount of 12.5% on usage of $5.00, 2026-01-01 to 2026-02-01 = -62',
    'Minimum commitment for 2026-01-01 to 2026-02-01: $10.00, used $4.38 = 562',
    'Prepaid credit cr_1, 2026-01-01 to 2026-02-01: from $4.00 that was left = -400',
    'ops, 2026-01-01 to 2026-02-01: 1100 used, 1000 included, 100 over = 500',
  ]);
});

test('what credits have left is what the ledger did not use', async () => {
  expect(await credits('org_usd')).toEqual([
    ['cr_first', '2000', '0'],
    ['cr_ops', '300', '0'],
    ['cr_second', '3000', '0'],
  ]);
  expect(await credits('org_late')).toEqual([['cr_1', '400', '0']]);
});

test('each line rates anew to the same cents, and a line that is not usage has the usage behind it', async () => {
  await expectReplayed();
  const { lines } = await preview('&org=org_late');
  const minimum = lines.find(({ kind }) => kind === 'commitment');
  expect(await call('GET', `/v1/billing/lines/${minimum?.line_id ?? ''}?month=2026-01`)).toMatchObject({
    line: { amount_minor: '562' },
    events: [{ event_id: 'org_late 1100' }],
  });
}, 300_000);

test('late usage corrects each of them by its difference, and the credit pays no cent twice', async () => {
  // 400 over are 20.00, less 12.5% are 17.50; 4.00 prepaid: 13.50, of which 6.00 are billed.
  await tell([used('org_late', 300)]);
  expect(await run()).toMatchObject({ bills: [{ org_id: 'org_late', amount_minor: '750' }] });
  const corrections = (await stripe.invoiceItems.list({ customer: customers.get('org_late') ?? '' })).data
    .filter(({ description }) => description?.endsWith('(correction)') === true)
    .map(({ amount }) => amount);
  expect(corrections.sort((a, b) => a - b)).toEqual([-562, -188, 1_500]);
  expect(await credits('org_late')).toEqual([['cr_1', '400', '0']]);
  await expectReplayed();
}, 300_000);

test('usage that is taken back, and a credit that is voided, come back to the cent', async () => {
  await tell([voided('void 1', 'execution.completed', 'org_late 300', 'org_late')]);
  expect(await run()).toMatchObject({ bills: [], waiting: [{ org_id: 'org_late', amount_minor: '-750' }] });
  await tell([voided('void 2', 'credit.granted', 'org_late cr_1', 'org_late')]);
  expect(await run()).toMatchObject({ bills: [], waiting: [{ org_id: 'org_late', amount_minor: '400' }] });
  expect(await credits('org_late')).toEqual([]);
  await expectReplayed();
}, 300_000);

test('the next month is billed with what waits, and with nothing left of credits that are used up', async () => {
  // Nothing used: 70.00, ¥10,001 and 18.000 at least; the 0.006 dinars go on waiting. org_late: 10.00 less 3.50.
  const { outcomes } = await run('2026-02');
  expect(outcomes.map(({ outcome }) => outcome)).toEqual(Array(4).fill('finalized'));
  const latest = async (org: string) => (await invoices(org))[0];
  expect(await latest('org_usd')).toEqual([7_000, 'open']);
  expect(await latest('org_jpy')).toEqual([10_001, 'open']);
  expect(await latest('org_kwd')).toEqual([18_000, 'open']);
  expect(await latest('org_late')).toEqual([650, 'open']);
  await expectReplayed();
}, 300_000);
