import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasAllServices, NOTHING_WRONG, ServedCompany } from '../support/served-company.js';

const TWO_MINUTES_MS = 120_000;

/*
 * One company on all three services: two processes with the API, two consumers; each is killed with -9 while events come in. The clock of
 * one of each is two minutes off.
 */
describe.runIf(hasAllServices())('several processes', { timeout: 240_000 }, () => {
  let company: ServedCompany;
  beforeAll(async () => {
    company = await ServedCompany.start();
  }, 240_000);
  afterAll(() => company.stop());

  test('killed in turn under load: what was accepted is counted, each once', async () => {
    const apis = [await company.serve('api'), await company.serve('api', { clockOffMs: TWO_MINUTES_MS })];
    const consumers = [
      await company.serve('consumer'),
      await company.serve('consumer', { clockOffMs: -TWO_MINUTES_MS }),
    ];
    const load = company.load(() => apis.map(({ url }) => url));
    for (let turn = 0; turn < 2; turn += 1) {
      await delay(2_000);
      await consumers[turn]?.kill();
      consumers[turn] = await company.serve('consumer');
      await apis[turn]?.kill();
      apis[turn] = await company.serve('api');
    }
    await delay(1_000);
    await load.stop();
    expect(load.accepted.size).toBeGreaterThan(1_000);

    await company.caughtUp(apis[0]?.url ?? '', 60_000);
    const { counted, copies, wrong } = await company.compare([load]);
    expect(wrong).toEqual(NOTHING_WRONG);
    // Kafka was there all the time, so nobody had to send anything again.
    expect(copies).toBe(0);
    console.log(`${load.accepted.size} events accepted, ${counted} there, 4 processes killed`);
  });
});
