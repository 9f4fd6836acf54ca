import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Random } from '../../fixtures/generator/random.js';
import { packagePath } from '../../platform/package-path.js';
import {
  hasAllServices,
  NOTHING_WRONG,
  ServedCompany,
  type Load,
  type Served,
} from '../support/served-company.js';

export interface KilledServices {
  /** How often each service is killed. */
  readonly turns: number;
  /** How long ClickHouse stays away under load. */
  readonly outageMs: number;
  /** A scheduler builds runs meanwhile, and is killed too. */
  readonly isScheduled: boolean;
  readonly seed: number;
}

const Runs = z.object({
  runs: z.array(z.looseObject({ event_counts: z.record(z.string(), z.number()).nullable() })),
});

/** What a process may hold more after an outage than before it: buffers that filled, a heap that was not yet cleared. */
const FLAT_WITHIN_MIB = 150;
/** So that a process that keeps what it takes in would show it: some 250 requests a second. */
const OUTAGE_PAUSE_MS = 10;

/** kill -9 of Kafka, ClickHouse and Postgres in turn, each while events come in; and ClickHouse away for a while. */
export function proveServicesKilled({ turns, outageMs, isScheduled, seed }: KilledServices): void {
  describe.runIf(hasAllServices())('services that die under load', { timeout: 1_200_000 }, () => {
    const random = new Random(seed);
    let company: ServedCompany;
    let api: Served;
    let consumer: Served;
    const loads: Load[] = [];

    beforeAll(async () => {
      console.log(`HEADGATE_TEST_SEED=${seed} kills at these moments again`);
      company = await ServedCompany.start(isScheduled ? { HEADGATE_TRANSFORM_SCHEDULE: '* * * * *' } : {});
      await company.command(['catalog', 'publish', packagePath('fixtures', 'catalogs', 'fleetprompt.yaml')]);
      [api, consumer] = await Promise.all([company.serve('api'), company.serve('consumer')]);
    }, 240_000);
    afterAll(() => company.stop());

    const startLoad = (pauseMs = 0): Load => {
      const load = company.load(() => [api.url], pauseMs);
      loads.push(load);
      return load;
    };
    const goesOn = async (load: Load): Promise<void> => {
      const before = load.accepted.size;
      await expect.poll(() => load.accepted.size, { timeout: 60_000 }).toBeGreaterThan(before);
    };

    test('Kafka, ClickHouse and Postgres killed in turn: what was accepted is counted, each once', async () => {
      const { kafka, clickHouse, postgres } = company;
      let scheduler = isScheduled ? await company.serve('scheduler') : null;
      const load = startLoad();
      for (let turn = 0; turn < turns; turn += 1) {
        for (const [kill, start] of [
          [() => kafka.kill(), () => kafka.restart()],
          [() => clickHouse.crash(), () => clickHouse.start()],
          [() => postgres.crash(), () => postgres.start()],
        ] as const) {
          await goesOn(load);
          await delay(500 + random.below(1_500));
          await kill();
          await delay(random.below(3_000));
          await start();
        }
        if (scheduler !== null) {
          await scheduler.kill();
          scheduler = await company.serve('scheduler');
        }
      }
      await goesOn(load);
      await load.stop();
      await company.caughtUp(api.url, 120_000);
      const { counted, copies, wrong } = await company.compare(loads);
      expect(wrong).toEqual(NOTHING_WRONG);
      console.log(
        `${load.accepted.size} events accepted, ${counted} there, ${copies} of them once more; refused: ${JSON.stringify([...load.refusals])}`,
      );
      if (scheduler !== null) await expectScheduledRun(counted);
      // Refusals while a service is away are told as such; nothing else ever came.
      expect([...load.refusals.keys()].filter((status) => status !== 503)).toEqual([]);
    });

    test('ClickHouse away under load: the API goes on accepting, memory stays flat, nothing is lost', async () => {
      const load = startLoad(OUTAGE_PAUSE_MS);
      await goesOn(load);
      await delay(3_000);
      const before = { api: api.memoryMib(), consumer: consumer.memoryMib() };
      await company.clickHouse.crash();
      const acceptedBefore = load.accepted.size;
      await delay(outageMs);
      const after = { api: api.memoryMib(), consumer: consumer.memoryMib() };
      const acceptedMeanwhile = load.accepted.size - acceptedBefore;
      await company.clickHouse.start();
      await load.stop();
      await company.caughtUp(api.url, 120_000);
      const { counted, copies, wrong } = await company.compare(loads);
      expect(wrong).toEqual(NOTHING_WRONG);
      console.log(
        `${acceptedMeanwhile} events accepted in ${outageMs / 1000} s without ClickHouse, ${counted} there, ${copies} of them once more; MiB before and after: ` +
          `API ${before.api.toFixed(0)} ${after.api.toFixed(0)}, consumer ${before.consumer.toFixed(0)} ${after.consumer.toFixed(0)}`,
      );
      expect(load.refusals.size).toBe(0);
      expect(acceptedMeanwhile).toBeGreaterThan(1_000);
      expect(after.api - before.api).toBeLessThan(FLAT_WITHIN_MIB);
      expect(after.consumer - before.consumer).toBeLessThan(FLAT_WITHIN_MIB);
    });

    /** The run that the scheduler builds next counts what is there, each once. */
    async function expectScheduledRun(counted: number): Promise<void> {
      const counts = async (): Promise<number | null> => {
        const answer = await company.ask(api.url, '/v1/runs');
        const { runs } = Runs.parse(await answer.json());
        return runs[0]?.event_counts?.['installs'] ?? null;
      };
      await expect.poll(counts, { timeout: 300_000, interval: 1_000 }).toBe(counted);
    }
  });
}
