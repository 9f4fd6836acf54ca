import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { eq } from 'drizzle-orm';
import { bills, stripeCustomers } from '../../platform/sql/billing-schema.js';
import { Killed, OverageBed, type Month } from '../../test/faults/prove-billed-once.js';
import type { KeptBill } from './bill-store.js';
import { checkBill } from './check-bill.js';
import { executeBills } from './execute-bills.js';
import { withdrawBill } from './withdraw-bill.js';

const WHY = { reason: 'a test', actor: 'test' };
let bed: OverageBed;
let month: Month;
beforeAll(async () => {
  bed = await OverageBed.open();
});
afterAll(() => bed.close());
beforeEach(async () => {
  bed.server.faults.clear();
  month = await bed.openMonth(1, 2);
});

const customer = (): string => month.customers[0]?.customerId ?? '';
async function billsOf(): Promise<KeptBill[]> {
  return (await bed.sql.database.select().from(bills)).filter(
    ({ account }) => account === month.store.account.account,
  );
}
async function onlyBill(): Promise<KeptBill> {
  const [bill, ...more] = await billsOf();
  if (bill === undefined || more.length > 0) throw new Error('there is one bill');
  return bill;
}
const invoicesOf = async (id: string) =>
  (await bed.stripe.invoices.list({ customer: id })).data.map(({ status, total }) => [status, total]);
/** Entered, with a draft and its items, but not made final. */
async function draftIt(): Promise<void> {
  bed.server.faults.add({ kind: 'error_500', method: 'POST', path: '/v1/invoices/*/finalize', times: 100 });
  await bed.run(month, bed.runner(month));
  bed.server.faults.clear();
}

test('the customer was deleted: another is linked, the bill is withdrawn, and billed once to the other', async () => {
  await bed.stripe.customers.del(customer());
  expect(await bed.run(month, bed.runner(month))).toMatchObject({ outcomes: [{ outcome: 'refused' }] });
  const other = await bed.stripe.customers.create({});
  const [linked] = month.customers;
  await bed.sql.database
    .update(stripeCustomers)
    .set({ customerId: other.id })
    .where(eq(stripeCustomers.orgId, linked?.orgId ?? ''));
  await withdrawBill(await onlyBill(), WHY, bed.runner(month).deps);
  const { outcomes } = await bed.run(month, bed.runner(month));
  expect(outcomes).toMatchObject([{ outcome: 'finalized' }]);
  // 100 and 101 cents.
  expect(await invoicesOf(other.id)).toEqual([['open', 201]]);
  expect(await invoicesOf(customer())).toEqual([]);
  expect((await billsOf()).map(({ state, sequence }) => [state, sequence]).sort()).toEqual([
    ['finalized', 2],
    ['withdrawn', 1],
  ]);
});

test('its draft goes, with its items and nobody else’s, and the next run makes another', async () => {
  await draftIt();
  expect(await invoicesOf(customer())).toEqual([['draft', 201]]);
  const foreign = { customer: customer(), amount: 777, currency: 'usd' };
  const { data } = await bed.stripe.invoices.list({ customer: customer() });
  const onDraft = await bed.stripe.invoiceItems.create({ ...foreign, invoice: data[0]?.id ?? '' });
  const pending = await bed.stripe.invoiceItems.create(foreign);
  await withdrawBill(await onlyBill(), WHY, bed.runner(month).deps);
  expect(await invoicesOf(customer())).toEqual([]);
  const left = await bed.stripe.invoiceItems.list({ customer: customer() });
  expect(left.data.map(({ id }) => id).sort()).toEqual([onDraft.id, pending.id].sort());
  await bed.run(month, bed.runner(month));
  expect(await invoicesOf(customer())).toEqual([['open', 201]]);
});

test('a draft that somebody deleted by hand is no hindrance', async () => {
  await draftIt();
  const { data } = await bed.stripe.invoices.list({ customer: customer() });
  await bed.stripe.invoices.del(data[0]?.id ?? '');
  const { outcomes } = await bed.run(month, bed.runner(month));
  expect(outcomes).toMatchObject([{ outcome: 'blocked' }]);
  expect(outcomes[0]?.message).toContain('headgate billing withdraw bill_');
  await withdrawBill(await onlyBill(), WHY, bed.runner(month).deps);
  expect((await bed.stripe.invoiceItems.list({ customer: customer() })).data).toEqual([]);
  await bed.run(month, bed.runner(month));
  expect(await invoicesOf(customer())).toEqual([['open', 201]]);
});

test('killed at any step of it, it is asked again, and billed once in the end', async () => {
  for (let dieAt = 0; ; dieAt += 1) {
    month = await bed.openMonth(1, 2);
    await draftIt();
    const bill = await onlyBill();
    const runner = bed.runner(month, { dieAt });
    const ended = await withdrawBill(bill, WHY, runner.deps).then(
      () => null,
      (error: unknown) => error,
    );
    if (ended !== null) {
      expect(ended).toBeInstanceOf(Killed);
      await withdrawBill((await billsOf())[0] ?? bill, WHY, bed.runner(month).deps);
    }
    await bed.finish(month);
    expect(await invoicesOf(customer())).toEqual([['open', 201]]);
    if (ended === null) {
      // Before and after the draft is removed, and before and after the commit.
      expect(dieAt).toBe(4);
      return;
    }
  }
}, 60_000);

test('a draft of which nobody heard is found and goes too', async () => {
  bed.server.faults.add({ kind: 'lose_response', method: 'POST', path: '/v1/invoices', times: 100 });
  await bed.run(month, bed.runner(month));
  bed.server.faults.clear();
  expect(await invoicesOf(customer())).toEqual([['draft', 0]]);
  await withdrawBill(await onlyBill(), WHY, bed.runner(month).deps);
  expect(await invoicesOf(customer())).toEqual([]);
});

test('a bill that is final stands, here and at Stripe', async () => {
  await bed.finish(month);
  const final = withdrawBill(await onlyBill(), WHY, bed.runner(month).deps);
  await expect(final).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('is final') as string,
  });
  month = await bed.openMonth(1, 2);
  await draftIt();
  const { data } = await bed.stripe.invoices.list({ customer: customer() });
  await bed.stripe.invoices.finalizeInvoice(data[0]?.id ?? '');
  const byHand = withdrawBill(await onlyBill(), WHY, bed.runner(month).deps);
  await expect(byHand).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining(data[0]?.id ?? '') as string,
  });
  await bed.finish(month);
  await bed.expectBilledOnce(month);
});

test('twice is once', async () => {
  await draftIt();
  const bill = await onlyBill();
  await withdrawBill(bill, WHY, bed.runner(month).deps);
  await withdrawBill(await onlyBill(), WHY, bed.runner(month).deps);
  await bed.run(month, bed.runner(month));
  expect(await invoicesOf(customer())).toEqual([['open', 201]]);
});

test('two who withdraw it at once, having read it before: its lines are given back once', async () => {
  await draftIt();
  const bill = await onlyBill();
  await Promise.all([
    withdrawBill(bill, WHY, bed.runner(month).deps),
    withdrawBill(bill, WHY, bed.runner(month).deps),
  ]);
  await withdrawBill(bill, WHY, bed.runner(month).deps);
  await bed.run(month, bed.runner(month));
  expect(await invoicesOf(customer())).toEqual([['open', 201]]);
});

test('a run that had listed it before it was withdrawn sends nothing of it', async () => {
  await draftIt();
  const listed = await month.store.unfinished(null);
  await withdrawBill(await onlyBill(), WHY, bed.runner(month).deps);
  const { deps } = bed.runner(month);
  expect(await executeBills(listed, deps, () => Promise.resolve(new Map()))).toEqual([]);
  // Neither does one that is past that look already: its writes are withdrawn too.
  const intents = await deps.intents.ofGroup(listed[0]?.billId ?? '');
  expect(intents.map(({ state }) => state)).toEqual(['done', 'done', 'done', 'withdrawn']);
  await bed.run(month, bed.runner(month));
  expect(await invoicesOf(customer())).toEqual([['open', 201]]);
});

test('an invoice that was voided at Stripe: reconciliation says so, and its usage is billed anew', async () => {
  await bed.finish(month);
  const bill = await onlyBill();
  await bed.stripe.invoices.voidInvoice(bill.invoiceId ?? '');
  const { deps } = bed.runner(month);
  expect(await checkBill(await onlyBill(), deps)).toMatchObject([{ cause: 'missing' }]);
  await withdrawBill(bill, WHY, deps);
  await bed.run(month, bed.runner(month));
  expect((await invoicesOf(customer())).sort()).toEqual([
    ['open', 201],
    ['void', 201],
  ]);
});

test('a draft that was made final by hand and voided does not pass for billed', async () => {
  await draftIt();
  const { data } = await bed.stripe.invoices.list({ customer: customer() });
  await bed.stripe.invoices.finalizeInvoice(data[0]?.id ?? '');
  await bed.stripe.invoices.voidInvoice(data[0]?.id ?? '');
  const { outcomes } = await bed.run(month, bed.runner(month));
  expect(outcomes[0]?.outcome).toBe('blocked');
  expect(outcomes[0]?.message).toContain('was voided');
  await withdrawBill(await onlyBill(), WHY, bed.runner(month).deps);
  await bed.run(month, bed.runner(month));
  expect((await invoicesOf(customer())).sort()).toEqual([
    ['open', 201],
    ['void', 201],
  ]);
});

test('a line that is rated no more is given back by a credit note', async () => {
  await bed.finish(month);
  const later = { ...month, lines: month.lines.slice(1) };
  const { plan } = await bed.run(later, bed.runner(later));
  expect(plan).toMatchObject({ bills: [{ totalMinor: -100n, credits: {} }], movements: [] });
  expect(await bed.run(later, bed.runner(later))).toMatchObject({ plan: { bills: [], carried: [] } });
});

test('a run that is older than what was billed from takes nothing back', async () => {
  await bed.run(month, bed.runner(month), 'run_2');
  const older = bed.run({ ...month, lines: [] }, bed.runner(month), 'run_1');
  await expect(older).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('run_2') as string,
  });
});
