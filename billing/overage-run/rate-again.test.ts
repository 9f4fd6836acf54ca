import { afterAll, beforeAll, expect, test } from 'vitest';
import { OverageBed } from '../../test/faults/prove-billed-once.js';
import type { OverageLine } from '../overage-plan.js';
import { NO_APPROVAL } from './approval.js';
import { runOverages, type RatedUsage } from './overage-run.js';
import { rateAgainOnce } from './rate-again.js';

let bed: OverageBed;
beforeAll(async () => {
  bed = await OverageBed.open();
});
afterAll(() => bed.close());

const watermark = { executions: [], installs: [], billing: [], crm: [] };

test.each<[string, Partial<OverageLine>]>([
  ['other events', { eventDigest: '4' }],
  ['fewer events', { events: 0 }],
  ['another quantity', { overage: '1' }],
  ['other money', { amount: { amountMinor: 99n, currency: 'USD' } }],
  ['another currency', { amount: { amountMinor: 100n, currency: 'EUR' } }],
])(
  'a run that rates to %s the second time charges nobody; once it is the same, it is billed',
  async (_, changes) => {
    const month = await bed.openMonth(1, 2);
    const [first, ...rest] = month.lines;
    if (first === undefined) throw new Error('there are lines');
    const ending = first.period;
    const request = { month: '2026-09-01', ending, orgId: null, approval: NO_APPROVAL, actor: 'test' };
    const usage = (again: readonly OverageLine[]): RatedUsage => ({
      ...{ runId: 'run_', watermark, lateUsage: () => 'credit_note' },
      ...{ lines: () => Promise.resolve(month.lines), again: () => Promise.resolve(again) },
    });
    const { deps } = bed.runner(month);
    const { outcomes } = await runOverages(usage([{ ...first, ...changes }, ...rest]), request, deps);
    expect(outcomes).toMatchObject([{ outcome: 'blocked' }]);
    expect(outcomes[0]?.message).toContain(`headgate billing replay ${first.lineId}`);
    const { data } = await bed.stripe.invoices.list({ customer: month.customers[0]?.customerId ?? '' });
    expect(data.map(({ status }) => status)).toEqual(['draft']);
    await runOverages(usage(month.lines), request, deps);
    await bed.expectBilledOnce(month);
  },
);

test('a run’s month is rated once for all its bills', async () => {
  const asked: string[] = [];
  const again = rateAgainOnce((runId, month) => {
    asked.push(`${runId} ${month}`);
    return Promise.resolve([]);
  });
  const bill = (runId: string, month: string) => ({ runId, month }) as Parameters<typeof again>[0];
  await Promise.all(
    [
      ['run_1', '2026-09-01'],
      ['run_1', '2026-09-01'],
      ['run_1', '2026-08-01'],
      ['run_2', '2026-09-01'],
    ].map(([runId = '', month = '']) => again(bill(runId, month))),
  );
  expect(asked).toEqual(['run_1 2026-09-01', 'run_1 2026-08-01', 'run_2 2026-09-01']);
});
