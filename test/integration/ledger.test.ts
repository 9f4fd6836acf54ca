import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createProgram } from '../../cli/program.js';
import { parseInstant } from '../../core/time.js';
import type { LocalStripe } from '../../fixtures/stripe/local-stripe.js';
import { WORKED_CASE_CATALOG } from '../../fixtures/worked-case-catalog.js';
import { readCatalogText } from '../../platform/catalog-file.js';
import { billBreaks, billLines, bills, carryMovements } from '../../platform/sql/billing-schema.js';
import { stripeInvoices } from '../../platform/sql/stripe-schema.js';
import { openApiTestBed, type ApiTestBed } from '../api-test-bed.js';
import { publishHandMadeRun, type Row } from '../hand-made-run.js';
import { startTestStripe } from '../support/local-stripe.js';

/*
 * As of 1 June 2026, 12:00. Minor units; what is entered with a bill, and what becomes of it:
 *
 * month  org    bill    usage                          total      at Stripe
 * 03     @corp  b_late  ops €300.00                    €300.00    €100.00 paid, due 17 April 09:00: 45 days
 * 04     @corp  b_off   ops €80.00                     €80.00     open, due 15 June; an item that is not ours on it
 * 04     org_a  b_paid  ops $1,250.00, tokens $50.00,  $1,170.00  paid on 3 May
 *                       coupon −$130.00
 * 04     org_a  –       tokens −$5.00                  –          waits: owed to org_a
 * 04     org_y  b_stop  ops ¥4000                      ¥4000      a draft that is not what was rated: blocked
 */
let server: LocalStripe;
let bed: ApiTestBed;
let account: { account: string; mode: 'live' | 'test' };
beforeAll(async () => {
  server = await startTestStripe();
  bed = await openApiTestBed({ STRIPE_SECRET_KEY: server.secretKey, HEADGATE_STRIPE_URL: server.url });
  account = (await bed.runtime.services.billing()).store.account;
  const reading = readCatalogText(JSON.stringify(WORKED_CASE_CATALOG), 'worked-case.json');
  if (!reading.ok) throw new Error('the worked catalog does not read');
  await bed.runtime.services.publishCatalog(reading.file, 'test');
  await enterBills();
  await publishHandMadeRun(bed.runtime, {
    asOf: parseInstant('2026-06-01T00:00:00Z'),
    rows: {},
    facts: {
      billing: [
        told('invoice.paid', '@corp', '2026-04-05T08:00:00Z', {
          ...eur('in_late', 10_000),
          paymentId: 'py_1',
        }),
        told('invoice.paid', 'org_a', '2026-05-03T08:00:00Z', {
          ...{ invoiceId: 'in_paid', paymentId: 'py_2', amountMinor: 117_000, currency: 'USD' },
        }),
        // Of an invoice that is not ours.
        told('invoice.paid', 'org_a', '2026-05-04T08:00:00Z', { ...eur('in_else', 9), paymentId: 'py_3' }),
      ],
    },
  });
});
afterAll(async () => {
  rmSync(bed.root, { recursive: true });
  await server.stop();
});

const eur = (invoiceId: string, amountMinor: number) => ({ invoiceId, amountMinor, currency: 'EUR' });
const at = parseInstant;

function told(type: string, subject: string, time: string, data: object): Row {
  return {
    type,
    subject,
    source: '/test',
    event_id: `${subject} ${time}`,
    at: time,
    data: JSON.stringify(data),
  };
}

async function enterBills(): Promise<void> {
  const { database } = bed.runtime.services.sql;
  await database.insert(bills).values([
    bill('b_late', '@corp', 'EUR', '2026-03-01', 30_000n),
    bill('b_off', '@corp', 'EUR', '2026-04-01', 8_000n),
    bill('b_paid', 'org_a', 'USD', '2026-04-01', 117_000n),
    {
      ...bill('b_stop', 'org_y', 'JPY', '2026-04-01', 4_000n),
      ...{
        state: 'blocked',
        finalizedAt: null,
        problemCode: 'total',
        problemMessage: 'in_stop comes to 4400',
      },
    },
  ]);
  await database.insert(billLines).values([
    entry('b_late', '@corp', 'EUR', 'ops', 30_000n, '2026-03'),
    entry('b_off', '@corp', 'EUR', 'ops', 8_000n),
    entry('b_paid', 'org_a', 'USD', 'ops', 125_000n),
    entry('b_paid', 'org_a', 'USD', 'tokens', 5_000n),
    { ...entry('b_paid', 'org_a', 'USD', '', -13_000n), kind: 'coupon' },
    {
      ...entry('car_1', 'org_a', 'USD', 'tokens', -500n),
      sequence: 2,
      createdAt: at('2026-05-20T06:00:00Z'),
    },
    entry('b_stop', 'org_y', 'JPY', 'ops', 4_000n),
  ]);
  await database.insert(carryMovements).values({
    ...{ ...account, causeId: 'car_1', orgId: 'org_a', currency: 'USD', month: '2026-04-01' },
    ...{ amountMinor: -500n, reason: 'credit', createdAt: at('2026-05-20T06:00:00Z') },
  });
  await database.insert(billBreaks).values({
    ...{
      breakId: 'brk_1',
      billId: 'b_off',
      cause: 'foreign',
      message: 'in_off has ii_9 of 100, which is not ours',
    },
    ...{ foundAt: at('2026-05-22T12:00:00Z'), lastSeenAt: at('2026-06-01T03:00:00Z'), closedAt: null },
  });
  await database.insert(stripeInvoices).values([
    mirrored('in_late', '@corp', 'EUR', 30_000n, 10_000n, '2026-04-17T09:00:00Z'),
    mirrored('in_off', '@corp', 'EUR', 8_000n, 0n, '2026-06-15T00:00:00Z'),
    {
      ...mirrored('in_paid', 'org_a', 'USD', 117_000n, 117_000n, null),
      ...{ status: 'paid', paidAt: at('2026-05-03T08:00:00Z') },
    },
  ]);
}

/** The month after its own, on the second, it was made final. */
function bill(billId: string, orgId: string, currency: string, month: string, totalMinor: bigint) {
  const finalizedAt = at(month === '2026-03-01' ? '2026-04-02T06:00:00Z' : '2026-05-02T06:00:00Z');
  return {
    ...{ ...account, billId, orgId, currency, month, totalMinor, finalizedAt, createdAt: finalizedAt },
    ...{ sequence: 1, customerId: 'cus_1', state: 'finalized', carriedItemMinor: 0n, runId: 'run_1' },
    ...{ invoiceId: billId.replace('b_', 'in_'), createdBy: 'test' },
  } satisfies typeof bills.$inferInsert;
}

function entry(
  causeId: string,
  orgId: string,
  currency: string,
  meterId: string,
  amountMinor: bigint,
  month = '2026-04',
): typeof billLines.$inferInsert {
  const periodEnd = at(month === '2026-03' ? '2026-04-01T00:00:00Z' : '2026-05-01T00:00:00Z');
  const createdAt = at(month === '2026-03' ? '2026-04-02T06:00:00Z' : '2026-05-02T06:00:00Z');
  return {
    ...{ ...account, causeId, orgId, currency, meterId, amountMinor, chargedMinor: amountMinor },
    ...{ lineId: `ovl_${orgId}_${meterId}_${month}`, sequence: 1, subscriptionId: 'sub_1', createdAt },
    ...{ periodStart: at(`${month}-01T00:00:00Z`), periodEnd, used: '0', overage: '0', isAssumed: false },
    ...{ runId: 'run_1', watermark: {}, events: 0, eventDigest: '0' },
  };
}

function mirrored(
  invoiceId: string,
  orgId: string,
  currency: string,
  totalMinor: bigint,
  paidMinor: bigint,
  due: string | null,
): typeof stripeInvoices.$inferInsert {
  return {
    ...{ ...account, invoiceId, orgId, currency, totalMinor, paidMinor, customerId: 'cus_1' },
    ...{ remainingMinor: totalMinor - paidMinor, refundedMinor: 0n, status: 'open', attemptCount: 0 },
    ...{ dueAt: due === null ? null : at(due), finalizedAt: at('2026-04-02T06:00:00Z'), dispute: 'none' },
    askedAt: at('2026-06-01T00:00:00Z'),
  };
}

const Page = z.looseObject({ next_cursor: z.string().nullable() });
const get = async (path: string) => (await bed.call({ path })).json();

test('each invoice says what it is made of, what is unpaid of it and since when, and whether it is what was rated', async () => {
  expect(await get('/v1/ledger/invoices')).toMatchObject({
    mode: 'test',
    as_of: '2026-06-01T12:00:00Z',
    invoices: [
      {
        ...{ bill_id: 'b_off', month: '2026-04', total_minor: '8000', payment: 'open', unpaid_minor: '8000' },
        ...{ days_past_due: 0, age: '0', reconciliation: 'broken' },
      },
      {
        ...{
          bill_id: 'b_paid',
          total_minor: '117000',
          carry_minor: '0',
          payment: 'paid',
          paid_minor: '117000',
        },
        ...{ unpaid_minor: '0', paid_at: '2026-05-03T08:00:00Z', reconciliation: 'matched' },
        entered: [
          { kind: 'coupon', amount_minor: '-13000' },
          { kind: 'usage', amount_minor: '130000' },
        ],
      },
      { bill_id: 'b_stop', state: 'blocked', payment: 'none', unpaid_minor: '0', reconciliation: 'broken' },
      {
        ...{ bill_id: 'b_late', month: '2026-03', paid_minor: '10000', unpaid_minor: '20000' },
        ...{ due_at: '2026-04-17T09:00:00Z', days_past_due: 45, age: '31-60', reconciliation: 'matched' },
      },
    ],
    summary: [
      {
        ...{ currency: 'EUR', invoices: 2, total_minor: '38000', paid_minor: '10000', unpaid_minor: '28000' },
        unpaid_by_age: [
          { age: '0', amount_minor: '8000' },
          { age: '1-30', amount_minor: '0' },
          { age: '31-60', amount_minor: '20000' },
          { age: '61-90', amount_minor: '0' },
          { age: '90+', amount_minor: '0' },
        ],
      },
      { currency: 'JPY', total_minor: '4000', unpaid_minor: '0' },
      { currency: 'USD', total_minor: '117000', paid_minor: '117000', unpaid_minor: '0' },
    ],
    next_cursor: null,
  });
});

test('a list goes on page by page, with the ages of its first page; sums are over all of it', async () => {
  const first = await bed.call({ path: '/v1/ledger/invoices?unpaid=true&limit=1' });
  expect(first.json()).toMatchObject({
    invoices: [{ bill_id: 'b_off' }],
    summary: [{ unpaid_minor: '28000' }],
  });
  bed.setClock(at('2026-07-01T12:00:00Z'));
  const cursor = first.as(Page).next_cursor ?? '';
  expect(await get(`/v1/ledger/invoices?unpaid=true&limit=1&cursor=${cursor}`)).toMatchObject({
    as_of: '2026-06-01T12:00:00Z',
    invoices: [{ bill_id: 'b_late', days_past_due: 45 }],
    next_cursor: null,
  });
  bed.setClock(at('2026-06-01T12:00:00Z'));
  const elsewhere = await bed.call({ path: `/v1/ledger/invoices?limit=1&cursor=${cursor}` });
  expect(elsewhere.problem()).toMatchObject({ status: 400, code: 'invalid_cursor' });
});

test('each break says its cause, how old it is, and the command that goes on', async () => {
  const first = await bed.call({ path: '/v1/ledger/breaks?limit=1' });
  expect(first.json()).toMatchObject({
    breaks: [
      {
        ...{ break_id: 'brk_1', bill_id: 'b_off', cause: 'foreign', amount_minor: '8000', aged_days: 10 },
        next_step: 'headgate billing reconcile --period 2026-04 --org @corp',
      },
    ],
  });
  const cursor = first.as(Page).next_cursor ?? '';
  expect(await get(`/v1/ledger/breaks?limit=1&cursor=${cursor}`)).toMatchObject({
    breaks: [
      {
        ...{ break_id: 'b_stop', cause: 'total', message: 'in_stop comes to 4400', state: 'blocked' },
        next_step: 'headgate billing run --period 2026-04 --customer org_y',
      },
    ],
    next_cursor: null,
  });
});

/** The export as records, without the ids, which are checked apart. */
function records(csv: string): string[][] {
  const rows = z.array(z.array(z.string())).parse(parse(csv, { recordDelimiter: '\r\n' }));
  return rows.slice(1).map((row) => row.slice(1));
}

test('the journal of a month is what its bills and what waits of it come to, to the cent, in major units', async () => {
  const answer = await bed.call({ path: '/v1/ledger/export?month=2026-04&format=journal&org=org_a' });
  expect(answer.headers.get('content-type')).toContain('text/csv');
  const of = (date: string, kind: string) => [date, '2026-04', kind, 'org_a', 'USD'];
  const [accrued, receivable] = [
    ['1150', 'Accrued income: usage that is not invoiced yet'],
    ['1100', 'Accounts receivable'],
  ];
  const paid = ['b_paid', 'in_paid'];
  const expected = [
    [...of('2026-05-02', 'usage'), ...accrued, '1170.00', '', '', ...paid],
    [...of('2026-05-02', 'usage'), '4900', 'Discounts and caps', '130.00', '', '', ...paid],
    [...of('2026-05-02', 'usage'), '4000', 'Usage revenue', '', '1250.00', 'ops', ...paid],
    [...of('2026-05-02', 'usage'), '4000', 'Usage revenue', '', '50.00', 'tokens', ...paid],
    [...of('2026-05-02', 'invoice'), ...receivable, '1170.00', '', '', ...paid],
    [...of('2026-05-02', 'invoice'), ...accrued, '', '1170.00', '', ...paid],
    [...of('2026-05-03', 'payment'), '1000', 'Cash at Stripe', '1170.00', '', '', ...paid],
    [...of('2026-05-03', 'payment'), ...receivable, '', '1170.00', '', ...paid],
    [
      ...of('2026-05-20', 'usage'),
      ...['2200', 'Owed to customers: taken off their next bill', '', '5.00', '', '', ''],
    ],
    [...of('2026-05-20', 'usage'), '4000', 'Usage revenue', '5.00', '', 'tokens', '', ''],
  ];
  expect(records(answer.text).sort()).toEqual(expected.sort());
});

test('yen have no digits after the point, and an org that is named like a formula is text', async () => {
  const all = records((await bed.call({ path: '/v1/ledger/export?month=2026-04&format=journal' })).text);
  expect(all.filter(([, , , org]) => org === 'org_y').map((row) => row.slice(7, 9))).toEqual([
    ['4000', ''],
    ['', '4000'],
  ]);
  expect(new Set(all.map(([, , , org]) => org))).toEqual(new Set(["'@corp", 'org_a', 'org_y']));
});

test('an entry has the same id whenever it is exported, derived from what it books', async () => {
  const path = '/v1/ledger/export?month=2026-04&format=journal';
  const first = (await bed.call({ path })).text;
  expect((await bed.call({ path })).text).toBe(first);
  const { account: name, mode } = account;
  const key = createHash('sha256')
    .update(JSON.stringify([name, mode, 'invoice', 'b_paid']))
    .digest('hex');
  expect(first).toContain(`jrn_${key.slice(0, 32)},2026-05-02,2026-04,invoice,org_a`);
});

test('accounts of the company’s own take the place of ours, and a meter may have one', async () => {
  const accounts = JSON.stringify({
    accounts: { cash: { number: '1810', name: 'Bank' } },
    meters: { tokens: { number: '4410' } },
  });
  const path = `/v1/ledger/export?month=2026-04&format=journal&org=org_a&accounts=${encodeURIComponent(accounts)}`;
  const used = new Set(records((await bed.call({ path })).text).map((row) => row.slice(5, 7).join(' ')));
  expect(used).toContain('1810 Bank');
  expect(used).toContain('4410 Usage revenue');
  expect(used).toContain('4000 Usage revenue');
});

test('SQL knows invoices and breaks as relations, as they are now', async () => {
  const rowsOf = async (sql: string) =>
    (await bed.call({ path: '/v1/sql', json: { sql } })).as(z.looseObject({ rows: z.array(z.unknown()) }))
      .rows;
  const invoices = `select bill_id, kind, month, total_minor, unpaid_minor, days_past_due, age, reconciliation, as_of
    from LEDGER_INVOICES order by bill_id`;
  expect(await rowsOf(invoices)).toMatchObject([
    {
      ...{ bill_id: 'b_late', kind: 'invoice', month: '2026-03-01', total_minor: 30000 },
      unpaid_minor: 20000,
    },
    { bill_id: 'b_off', unpaid_minor: 8000, reconciliation: 'broken', as_of: '2026-06-01T12:00:00Z' },
    { bill_id: 'b_paid', total_minor: 117000, unpaid_minor: 0, reconciliation: 'matched' },
    { bill_id: 'b_stop', reconciliation: 'broken' },
  ]);
  const late = `select sum(i.unpaid_minor) as late from ledger_invoices i where i.days_past_due >= 45`;
  expect(await rowsOf(late)).toEqual([{ late: 20_000 }]);
  const breaks = 'select bill_id, cause, next_step from ledger_breaks order by bill_id';
  expect(await rowsOf(breaks)).toMatchObject([
    { bill_id: 'b_off', cause: 'foreign' },
    {
      bill_id: 'b_stop',
      cause: 'total',
      next_step: 'headgate billing run --period 2026-04 --customer org_y',
    },
  ]);
});

test('the invoices of a month as a table, a column for each kind of line', async () => {
  const csv = (await bed.call({ path: '/v1/ledger/export?month=2026-04&format=invoices&org=org_a' })).text;
  expect(parse(csv, { columns: true, recordDelimiter: '\r\n' })).toEqual([
    {
      ...{ bill_id: 'b_paid', org_id: 'org_a', month: '2026-04', currency: 'USD', usage: '1300.00' },
      ...{ quantity_credit: '0.00', cap: '0.00', coupon: '-130.00', commitment: '0.00', credit: '0.00' },
      ...{ carried: '0.00', total: '1170.00', state: 'finalized', invoice_id: 'in_paid', credit_note_id: '' },
      payment: 'paid',
      ...{ paid: '1170.00', unpaid: '0.00', finalized: '2026-05-02', due: '2026-04-02' },
      ...{ days_past_due: '0', age: '0', reconciliation: 'matched' },
    },
  ]);
});

test('an invoice of which Stripe said something since the run is named, and both amounts with it', async () => {
  expect(await get('/v1/ledger/export?month=2026-03')).toMatchObject({ differences: [] });
  const { database } = bed.runtime.services.sql;
  const paid = { status: 'paid' as const, paidMinor: 30_000n, remainingMinor: 0n };
  await database.update(stripeInvoices).set(paid).where(eq(stripeInvoices.invoiceId, 'in_late'));
  expect(await get('/v1/ledger/export?month=2026-03')).toMatchObject({
    differences: [{ invoice_id: 'in_late', journal_minor: '20000', stripe_minor: '0' }],
  });
});

const PATHS = ['/v1/ledger/invoices', '/v1/ledger/breaks', '/v1/ledger/export?month=2026-04'];

test.each(PATHS)('%s is for keys that may read billing', async (path) => {
  const [sales, finance] = [await bed.keyWith('leads:read'), await bed.keyWith('billing:read')];
  expect((await bed.call({ path, key: null })).status).toBe(401);
  expect((await bed.call({ path, key: sales })).problem()).toMatchObject({
    status: 403,
    code: 'scope_missing',
  });
  expect((await bed.call({ path, key: finance })).status).toBe(200);
});

test.each([
  '/v1/ledger/invoices?month=2026-13',
  '/v1/ledger/invoices?unpaid=maybe',
  '/v1/ledger/invoices?limit=501',
  '/v1/ledger/breaks?limit=0',
  '/v1/ledger/breaks?state=blocked',
  '/v1/ledger/export',
  '/v1/ledger/export?month=2026-04&format=xml',
  '/v1/ledger/export?month=2026-04&accounts=nothing',
  `/v1/ledger/export?month=2026-04&accounts=${encodeURIComponent('{"accounts":{"gold":{"number":"1"}}}')}`,
])('%s is refused, with what is wrong', async (path) => {
  expect((await bed.call({ path })).problem()).toMatchObject({ status: 400, code: 'invalid_argument' });
});

describe('the commands, on the same data', () => {
  beforeAll(async () => {
    await bed.runtime.close();
    vi.stubEnv('STRIPE_SECRET_KEY', server.secretKey);
    vi.stubEnv('HEADGATE_STRIPE_URL', server.url);
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  async function said(...args: string[]): Promise<string> {
    const pieces: string[] = [];
    vi.spyOn(process.stdout, 'write').mockImplementation((piece) => pieces.push(String(piece)) > 0);
    await createProgram().parseAsync(['billing', ...args, '--data', bed.root], { from: 'user' });
    vi.restoreAllMocks();
    return pieces.join('');
  }

  test('say what is unpaid, what is open and what to do', async () => {
    const ledger = await said('ledger', '--unpaid');
    expect(ledger).toContain('b_off');
    expect(ledger).not.toContain('b_paid');
    expect(ledger).toContain('1 in EUR: €80.00, €0.00 paid, €80.00 unpaid');
    expect(await said('breaks')).toContain('→ headgate billing run --period 2026-04 --customer org_y');
  });

  test('write the journal to a file, on the accounts of another', async () => {
    const [chart, out] = [join(bed.root, 'accounts.yml'), join(bed.root, 'journal.csv')];
    writeFileSync(chart, 'accounts:\n  cash: { number: "1810" }\n');
    expect(await said('export', '--period', '2026-04', '--accounts', chart, '--out', out)).toBe(
      `wrote ${out}\n`,
    );
    expect(readFileSync(out, 'utf8')).toContain(
      'payment,org_a,USD,1810,Cash at Stripe,1170.00,,,b_paid,in_paid',
    );
    const missing = said('export', '--period', '2026-04', '--accounts', join(bed.root, 'none.yml'));
    await expect(missing).rejects.toMatchObject({ code: 'file_not_found' });
  });
});
