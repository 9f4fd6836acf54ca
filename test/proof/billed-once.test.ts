import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LocalStripe } from '../../fixtures/stripe/local-stripe.js';
import { SecretText } from '../../platform/secrets.js';
import { openPgliteSql } from '../../platform/sql/pglite-sql.js';
import { openPgSql } from '../../platform/sql/pg-sql.js';
import type { Sql } from '../../platform/sql/sql.js';
import { OverageBed, proveBilledOnce, proveManyDeaths } from '../faults/prove-billed-once.js';
import { startTestStripe } from '../support/local-stripe.js';
import { hasPostgres, startPostgres, type Postgres } from '../support/postgres.js';
import { testSeed } from '../support/test-seed.js';

/*
 * Twenty customers with three meters each: the run dies again and again until it is through, at every kind of step for every customer,
 * and at each point of a month of two customers by itself.
 */
const CUSTOMERS = 20;
const METERS = 3;
const MONTHS = 5;
const SEED = testSeed();
/** So many steps at most in one life: enough to get on, too few to get far. */
const LONGEST_LIFE = 9;

function defineProof(open: () => Promise<{ sql: Sql; close: () => Promise<void> }>): void {
  let server: LocalStripe;
  let opened: { sql: Sql; close: () => Promise<void> };
  let bed: OverageBed;
  beforeAll(async () => {
    server = await startTestStripe();
    opened = await open();
    await opened.sql.migrate();
    bed = new OverageBed(server, opened.sql);
  });
  afterAll(async () => {
    await opened.close();
    await server.stop();
  });

  test('dying again and again: each line is billed once', async () => {
    let state = BigInt(SEED);
    const stepsOfLife = (): number => {
      // Knuth's MMIX generator; its high bits.
      state = (state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n) % (1n << 64n);
      return Number((state >> 40n) % BigInt(LONGEST_LIFE)) + 1;
    };
    const all = new Map<string, number>();
    for (let month = 0; month < MONTHS; month += 1) {
      const deaths = await proveManyDeaths(bed, await bed.openMonth(CUSTOMERS, METERS), stepsOfLife);
      for (const [step, count] of deaths) all.set(step, (all.get(step) ?? 0) + count);
    }
    console.log(
      `seed ${SEED}: ${[...all]
        .sort()
        .map(([step, count]) => `${step} ${count}`)
        .join(', ')}`,
    );
    const kinds = ['begin', 'commit', 'read', 'send', 'settle'];
    expect([...all.keys()].sort()).toEqual(
      kinds.flatMap((kind) => [`after ${kind}`, `before ${kind}`]).sort(),
    );
  });

  test('at each point of two customers’ month by itself', async () => {
    const month = await bed.openMonth(2, METERS);
    const whole = bed.runner(month);
    await bed.run(month, whole);
    for (let place = 0; place < whole.steps.length; place += 1) {
      await proveBilledOnce(bed, await bed.openMonth(2, METERS), place);
    }
    console.log(`${whole.steps.length} points`);
  });
}

describe('an overage run that dies, on PGlite', () => {
  defineProof(async () => {
    const sql = await openPgliteSql('memory://');
    return { sql, close: () => sql.close() };
  });
});

describe.runIf(hasPostgres())('an overage run that dies, on Postgres', () => {
  let postgres: Postgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());
  defineProof(async () => {
    const sql = await openPgSql({
      url: new SecretText(await postgres.createDatabase()),
      poolSize: 5,
      timeoutMs: 30_000,
    });
    return { sql, close: () => sql.close() };
  });
});
