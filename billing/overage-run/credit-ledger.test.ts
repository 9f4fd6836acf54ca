import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { formatDecimal, parseDecimal } from '../../core/decimal.js';
import { OverageBed, type Month } from '../../test/faults/prove-billed-once.js';
import type { AdjustmentKind } from '../adjustments/adjustment.js';
import type { OverageLine } from '../overage-plan.js';
import { withdrawBill } from './withdraw-bill.js';

/*
 * What the ledger says is used of credits. Each month is of one org, which owes $30.00 for usage, of which a credit of a quantity
 * pays $10.00 and one of money $5.00.
 */
const WHY = { reason: 'a test', actor: 'test' };
let bed: OverageBed;
let month: Month;
beforeAll(async () => {
  bed = await OverageBed.open();
});
afterAll(() => bed.close());
beforeEach(async () => {
  bed.server.faults.clear();
  const opened = await bed.openMonth(1, 1);
  month = paidWith(opened, '300');
});

function paidWith(opened: Month, quantity: string): Month {
  const [usage] = opened.lines.filter(({ adjustment }) => adjustment === null);
  if (usage === undefined) throw new Error('there is usage');
  const credit = (kind: AdjustmentKind, amountMinor: bigint, used: string | null): OverageLine => ({
    ...usage,
    lineId: `adj_${kind}_${usage.orgId}`,
    meterId: used === null ? '' : usage.meterId,
    amount: { amountMinor, currency: 'USD' },
    adjustment: {
      ...{ kind, words: 'Prepaid credit', creditId: `cr_${kind}`, creditsLeft: {} },
      quantity: used === null ? null : parseDecimal(used),
    },
  });
  const lines = [
    { ...usage, amount: { amountMinor: 3_000n, currency: 'USD' } },
    credit('quantity_credit', -1_000n, quantity),
    credit('credit', -500n, null),
  ];
  return { ...opened, lines };
}
const usedUp = async () =>
  [...(await month.store.spentCredits(null, null))].map(([, used]) => formatDecimal(used)).sort();
const invoiced = async () =>
  (await bed.stripe.invoices.list({ customer: month.customers[0]?.customerId ?? '' })).data.map(
    ({ total }) => total,
  );

test('what was entered is used, once, whatever run comes after', async () => {
  expect(await usedUp()).toEqual([]);
  await bed.finish(month);
  await bed.finish(month);
  expect(await usedUp()).toEqual(['300', '500']);
  expect(await invoiced()).toEqual([1_500]);
});

test('for a month its own periods do not count: what they use is rated anew', async () => {
  await bed.finish(month);
  const [line] = month.lines;
  const ending = line?.period ?? { start: 0n, end: 0n };
  expect([...(await month.store.spentCredits(ending, null))]).toEqual([]);
  expect([
    ...(await month.store.spentCredits({ start: ending.end, end: ending.end + 1n }, null)),
  ]).toHaveLength(2);
});

test('a bill that is withdrawn gives credits back, and the next run uses them again', async () => {
  bed.server.faults.add({ kind: 'error_500', method: 'POST', path: '/v1/invoices/*/finalize', times: 100 });
  await bed.run(month, bed.runner(month));
  bed.server.faults.clear();
  expect(await usedUp()).toEqual(['300', '500']);
  const [bill] = await month.store.unfinished(null);
  if (bill === undefined) throw new Error('there is a bill');
  await withdrawBill(bill, WHY, bed.runner(month).deps);
  expect(await usedUp()).toEqual(['0', '0']);
  await bed.finish(month);
  expect(await usedUp()).toEqual(['300', '500']);
  expect(await invoiced()).toEqual([1_500]);
});

test('a quantity that changes where the money does not is entered, and bills nothing', async () => {
  await bed.finish(month);
  month = paidWith(month, '250.5');
  const { plan } = await bed.run(month, bed.runner(month), 'run_2');
  expect(plan).toMatchObject({ bills: [], movements: [], carried: [{ lines: [{ amountMinor: 0n }] }] });
  expect(await usedUp()).toEqual(['250.5', '500']);
  expect((await bed.run(month, bed.runner(month), 'run_2')).plan.carried).toEqual([]);
  expect(await invoiced()).toEqual([1_500]);
});
