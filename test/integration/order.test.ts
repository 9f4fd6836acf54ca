import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseInstant } from '../../core/time.js';
import { DEFAULT_FAULTS } from '../../fixtures/generator/options.js';
import { Random } from '../../fixtures/generator/random.js';
import { currentRun } from '../../transforms/run-store.js';
import { randomHistories } from '../parity/random-histories.js';
import { apiOf } from '../support/api.js';
import { catalogFile, openCompany, simulate, SMALL, type TestCompany } from '../support/company.js';
import { noonAt, shuffledBy, timeOf } from '../support/event-order.js';
import { expectEqualMarts, exportMarts } from '../support/marts-export.js';
import { openWorkedCompany } from '../support/worked-company.js';
import { testSeed } from '../support/test-seed.js';

const SEED = testSeed(31);

/** A company's lines and random histories beside it: late events, repeats, corrections, lines that are none, but no conflicts. */
async function everything(): Promise<{ lines: string[]; endsAt: string }> {
  const { catalog } = await catalogFile('fleetprompt');
  const faults = { ...DEFAULT_FAULTS, conflictPpm: 0 };
  const simulated = simulate(catalog, { ...SMALL, seed: SEED, faults });
  const histories = randomHistories(catalog, SEED, 40, { withConflicts: false });
  return { lines: [...histories, ...simulated.lines], endsAt: simulated.endsAt };
}

describe('any order, any repetition, any number of runs', { timeout: 300_000 }, () => {
  let lines: string[];
  let endsAt: string;
  let early: string;
  let whole: TestCompany;
  let atEnd: Map<string, string>;
  let atEarly: Map<string, string>;

  beforeAll(async () => {
    ({ lines, endsAt } = await everything());
    early = noonAt(lines, 0.5);
    whole = await openWithCatalog();
    await whole.ingest(lines);
    atEnd = await exportMarts(whole, await whole.transform(endsAt));
  });
  afterAll(() => whole.remove());

  async function openWithCatalog(): Promise<TestCompany> {
    const company = await openCompany();
    await company.runtime.services.publishCatalog(await catalogFile('fleetprompt'), 'test');
    return company;
  }

  test('a run of the past beside the current one moves no pointer and disturbs nothing', async () => {
    const { sql } = whole.runtime.services;
    const before = await currentRun(sql);
    const run = await whole.transform(early);
    expect(run.isHistorical).toBe(true);
    atEarly = await exportMarts(whole, run);
    expect((await currentRun(sql))?.runId).toBe(before?.runId);
    expect([...atEarly.values()].join()).not.toBe([...atEnd.values()].join());

    const again = await whole.transform(endsAt);
    expect(again.isIncremental).toBe(true);
    expectEqualMarts(await exportMarts(whole, again), atEnd);
  });

  test('shuffled, some lines twice or thrice: equal marts, also of the past', async () => {
    console.log(`shuffled by seed ${SEED}, ${lines.length} lines`);
    const random = new Random(SEED);
    const repeated = lines.flatMap((line) =>
      Array.from({ length: random.pick([1, 1, 1, 2, 3]) }, () => line),
    );
    const shuffled = await openWithCatalog();
    try {
      await shuffled.ingest(shuffledBy(random, repeated));
      expectEqualMarts(await exportMarts(shuffled, await shuffled.transform(early)), atEarly);
      expectEqualMarts(await exportMarts(shuffled, await shuffled.transform(endsAt)), atEnd);
    } finally {
      await shuffled.remove();
    }
  });

  test('in three batches with a run after each: equal to one full run', async () => {
    const third = Math.floor(lines.length / 3);
    const batches = [lines.slice(0, third), lines.slice(third, 2 * third), lines.slice(2 * third)];
    const measuredAt = [noonAt(lines, 0.3), early, endsAt];
    const company = await openWithCatalog();
    try {
      for (const [index, batch] of batches.entries()) {
        await company.ingest(batch);
        const asOf = parseInstant(measuredAt[index] ?? endsAt);
        const known = batches.slice(0, index + 1).flat();
        const counted = known.filter((line) => (timeOf(line) ?? 0n) < asOf).length;
        // The first two runs are measured in the midst of what has arrived: some of it lies before, some after.
        if (index < 2) expect([counted > 100, known.length - counted > 100]).toEqual([true, true]);
        const run = await company.transform(measuredAt[index] ?? endsAt);
        expect(run.isIncremental).toBe(index > 0);
        if (index === 2) expectEqualMarts(await exportMarts(company, run), atEnd);
      }
    } finally {
      await company.remove();
    }
  });
});

describe('a conflict that somebody decided', { timeout: 300_000 }, () => {
  const Conflicts = z.object({
    conflicts: z.array(z.object({ conflict_id: z.string(), event_id: z.string() })),
  });
  const Close = z.object({ close: z.bigint() });
  const JANUARY = `select close_minor as close from {r}.mrr_customer_months where org_id = 'org_cyd' and month = date '2026-01-01'`;
  const ASKED_AT = '2026-05-01T00:00:00Z';

  test('changes the marts, and stays decided through a full refresh', async () => {
    const company = await openWorkedCompany();
    const api = apiOf(company);
    const januaryMrr = async (fullRefresh = false): Promise<bigint | undefined> => {
      const { runId } = await company.transform(ASKED_AT, { fullRefresh });
      return company.runtime.services.runs.withRun({ runId }, async ({ reader }) => {
        const [row] = await reader.query(JANUARY.replace('{r}', reader.relation), {}, Close);
        return row?.close;
      });
    };
    const decide = async (decision: 'first' | 'other'): Promise<void> => {
      const { conflicts } = await api.get('/v1/quarantine/conflicts', Conflicts);
      expect(conflicts.map(({ event_id }) => event_id)).toEqual(['cyd-2']);
      const path = `/v1/quarantine/conflicts/${conflicts[0]?.conflict_id ?? ''}/decide`;
      await api.post(path, { decision, reason: 'the customer says so' }, z.unknown());
    };
    try {
      // 43,200 a year less a fifth is 34,560, by twelve 2,880. The other report says nine seats and no discount: 388,800 by twelve.
      expect(await januaryMrr()).toBe(2_880n);
      await decide('other');
      expect(await januaryMrr()).toBe(32_400n);
      expect(await januaryMrr(true)).toBe(32_400n);
      await decide('first');
      expect(await januaryMrr()).toBe(2_880n);
    } finally {
      await company.remove();
    }
  });
});
