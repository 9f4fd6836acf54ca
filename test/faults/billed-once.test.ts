import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OverageBed, proveBilledOnce } from './prove-billed-once.js';

/* One customer, two lines: each point of the code at which a run can die, once. All points of twenty customers are in the proof. */
describe('an overage run that dies', { timeout: 60_000 }, () => {
  let bed: OverageBed;
  beforeAll(async () => {
    bed = await OverageBed.open();
  });
  afterAll(() => bed.close());

  // The plan's commit; begin, send, settle of four writes; the read before the last; the bill's commit: before and after each.
  const PLACES = 2 * (1 + 4 * 3 + 1 + 1);

  test('these are all the points', async () => {
    const month = await bed.openMonth(1, 2);
    const runner = bed.runner(month);
    await bed.run(month, runner);
    expect(runner.steps).toHaveLength(PLACES);
    await bed.expectBilledOnce(month);
  });

  test.each(Array.from({ length: PLACES }, (_, place) => place))(
    'at point %i: billed once',
    async (place) => {
      await proveBilledOnce(bed, await bed.openMonth(1, 2), place);
    },
  );

  test('two runners at once: billed once', async () => {
    const month = await bed.openMonth(3, 2);
    await Promise.allSettled([bed.run(month, bed.runner(month)), bed.run(month, bed.runner(month))]);
    await bed.finish(month);
    await bed.expectBilledOnce(month);
  });

  test('what nobody foresaw of one customer stops no other, and is told', async () => {
    const month = await bed.openMonth(3, 2);
    const [unlucky] = month.customers;
    const told: unknown[] = [];
    const { deps, ...runner } = bed.runner(month, {
      side: (side) => ({
        find: (intent) => side.find(intent),
        send: (request, key) =>
          request.parameters['customer'] === unlucky?.customerId
            ? Promise.reject(new TypeError('a surprise'))
            : side.send(request, key),
      }),
    });
    const onUnexpected = (error: unknown): void => void told.push(error);
    const { outcomes } = await bed.run(month, { ...runner, deps: { ...deps, onUnexpected } });
    expect(outcomes.map(({ orgId, outcome }) => [orgId === unlucky?.orgId, outcome]).sort()).toEqual([
      [false, 'finalized'],
      [false, 'finalized'],
      [true, 'unfinished'],
    ]);
    expect(told).toEqual([new TypeError('a surprise')]);
    expect(JSON.stringify(outcomes)).not.toContain('surprise');
    await bed.finish(month);
    await bed.expectBilledOnce(month);
  });

  test('a second run does nothing', async () => {
    const month = await bed.openMonth(2, 2);
    await bed.finish(month);
    const asked = bed.server.requests().length;
    const { plan, outcomes } = await bed.run(month, bed.runner(month));
    expect({ plan, outcomes }).toEqual({
      plan: { bills: [], carried: [], movements: [], heldBack: [] },
      outcomes: [],
    });
    expect(bed.server.requests()).toHaveLength(asked);
  });

  test('at most four requests for a customer, and one for each line', async () => {
    const month = await bed.openMonth(2, 3);
    const asked = bed.server.requests().length;
    await bed.run(month, bed.runner(month));
    expect(bed.server.requests().length - asked).toBe(2 * (4 + 3));
  });
});
