import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testSeed } from '../support/test-seed.js';
import { OverageBed } from './prove-billed-once.js';
import { proveRandomMonths, RandomMonths } from './prove-random-months.js';

/* A few histories, others in each run; many of them, on PGlite and on Postgres, are in the proof. */
const SEED = testSeed();
const HISTORIES = 4;

describe('random months with random faults', { timeout: 120_000 }, () => {
  let bed: OverageBed;
  beforeAll(async () => {
    console.log(`histories of seed ${SEED}`);
    bed = await OverageBed.open();
  });
  afterAll(() => bed.close());

  test.each(Array.from({ length: HISTORIES }, (_, index) => SEED + index))(
    'history %i: billed and waiting is what a second rater says, and nobody was ever charged more',
    async (seed) => {
      const { troubles, usage } = await proveRandomMonths(bed, seed);
      console.log(`${seed}: ${tellOf(troubles)}; ${tellOf(usage.happened)}`);
    },
  );

  test('what the second rater does not say is found out', async () => {
    const history = await RandomMonths.open(bed, SEED);
    await history.live();
    await history.settleDown();
    await history.expectSettled();
    // It becomes known after the last run.
    history.usage.useALot();
    await expect(history.expectSettled()).rejects.toThrow(/expected|deeply equal/);
  });
});

function tellOf(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([what, count]) => `${what} ${count}`).join(', ');
}
