import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SecretText } from '../../platform/secrets.js';
import { openPgliteSql } from '../../platform/sql/pglite-sql.js';
import { openPgSql } from '../../platform/sql/pg-sql.js';
import type { Sql } from '../../platform/sql/sql.js';
import { OverageBed } from '../faults/prove-billed-once.js';
import { HAPPENINGS } from '../faults/random-usage.js';
import { proveRandomMonths, TROUBLES } from '../faults/prove-random-months.js';
import { startTestStripe } from '../support/local-stripe.js';
import { hasPostgres, startPostgres, type Postgres } from '../support/postgres.js';
import { testSeed } from '../support/test-seed.js';

/* Many random histories: every trouble and everything that may happen, again and again. */
const SEED = testSeed();
const HISTORIES = 60;

function defineProof(open: () => Promise<Sql>): void {
  let bed: OverageBed;
  beforeAll(async () => {
    const [server, sql] = [await startTestStripe(), await open()];
    await sql.migrate();
    bed = new OverageBed(server, sql);
  });
  afterAll(() => bed.close());

  test(`${HISTORIES} histories: billed and waiting is what a second rater says`, async () => {
    const met = new Map<string, number>();
    let credited = 0;
    for (let index = 0; index < HISTORIES; index += 1) {
      const seed = SEED + index;
      const { troubles, usage, notes } = await proveRandomMonths(bed, seed).catch((error: unknown) => {
        throw new Error(`history ${seed}`, { cause: error });
      });
      credited += notes;
      for (const [what, count] of [...troubles, ...usage.happened]) {
        met.set(what, (met.get(what) ?? 0) + count);
      }
    }
    console.log(
      `seed ${SEED}: ${credited} credit notes, ${[...met].map(([what, count]) => `${what} ${count}`).join(', ')}`,
    );
    expect(credited).toBeGreaterThan(0);
    expect([...met.keys()].sort()).toEqual([...new Set<string>([...TROUBLES, ...HAPPENINGS])].sort());
  });
}

describe('random months with random faults, on PGlite', () => {
  defineProof(() => openPgliteSql('memory://'));
});

describe.runIf(hasPostgres())('random months with random faults, on Postgres', () => {
  let postgres: Postgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());
  defineProof(async () =>
    openPgSql({ url: new SecretText(await postgres.createDatabase()), poolSize: 5, timeoutMs: 30_000 }),
  );
});
