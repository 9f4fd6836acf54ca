import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { billBreaks } from '../../platform/sql/billing-schema.js';
import { OverageBed } from '../../test/faults/prove-billed-once.js';
import type { KeptBill } from './bill-store.js';
import { billsToCheck } from './read-bills.js';
import { reconcileBill } from './reconcile-bill.js';
import { withdrawBill } from './withdraw-bill.js';

let bed: OverageBed;
beforeAll(async () => {
  bed = await OverageBed.open();
});
afterAll(() => bed.close());

const kept = ({ billId }: KeptBill) =>
  bed.sql.database.select().from(billBreaks).where(eq(billBreaks.billId, billId));

test('a break is kept from the look that first sees it to the one that does not any more', async () => {
  const month = await bed.openMonth(1, 1);
  await bed.finish(month);
  const { deps } = bed.runner(month);
  const [bill] = await billsToCheck(bed.sql, month.store.account, '2026-09-01');
  if (bill === undefined) throw new Error('nothing was billed');
  const look = (amount: bigint) =>
    reconcileBill(bill, 'test', {
      ...deps,
      readInvoice: async (invoiceId) => {
        const invoice = await deps.readInvoice(invoiceId);
        return invoice === null ? null : { ...invoice, total: invoice.total + amount };
      },
    });
  expect(await look(0n)).toEqual([]);
  expect(await kept(bill)).toEqual([]);

  expect((await look(1n)).map(({ cause }) => cause)).toEqual(['total']);
  bed.passADay();
  await look(1n);
  const [found] = await kept(bill);
  expect(await kept(bill)).toMatchObject([{ cause: 'total', closedAt: null }]);
  expect(found?.lastSeenAt).toBeGreaterThan(found?.foundAt ?? 0n);

  expect(await look(0n)).toEqual([]);
  expect((await kept(bill)).map(({ closedAt }) => closedAt)).toEqual([bed.runner(month).deps.clock()]);
  const { audit } = deps;
  const told = (await audit.list()).filter(({ action }) => action === 'bill.reconcile');
  expect(told).toHaveLength(2);
});

test('what was wrong with a bill is over when it is withdrawn', async () => {
  const month = await bed.openMonth(1, 1);
  await bed.finish(month);
  const { deps } = bed.runner(month);
  const [bill] = await billsToCheck(bed.sql, month.store.account, '2026-09-01');
  if (bill?.invoiceId == null) throw new Error('nothing was billed');
  await bed.stripe.invoices.voidInvoice(bill.invoiceId);
  expect((await reconcileBill(bill, 'test', deps)).map(({ cause }) => cause)).toContain('missing');
  await withdrawBill(bill, { reason: 'voided', actor: 'test' }, deps);
  expect((await kept(bill)).map(({ closedAt }) => closedAt)).not.toContain(null);
});
