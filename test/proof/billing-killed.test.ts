import { afterAll, beforeAll, describe, test } from 'vitest';
import { proveBillingKilled } from '../faults/prove-billing-killed.js';
import { hasPostgres, startPostgres, type Postgres } from '../support/postgres.js';
import { testSeed } from '../support/test-seed.js';

const ORGS = 20;
const KILLS = 40;
/** HEADGATE_TEST_SEED=7 kills at the moments of another run. */
const SEED = testSeed();

describe('a billing process that is killed forty times bills each org’s months once', () => {
  test('on PGlite, where a second process is refused', () =>
    proveBillingKilled({ databaseUrl: null, orgs: ORGS, kills: KILLS, seed: SEED }));

  describe.runIf(hasPostgres())('with a server', () => {
    let postgres: Postgres;
    beforeAll(async () => {
      postgres = await startPostgres();
    });
    afterAll(() => postgres.stop());

    test('on Postgres, where a second process bills beside it', async () => {
      const databaseUrl = await postgres.createDatabase();
      await proveBillingKilled({ databaseUrl, orgs: ORGS, kills: KILLS, seed: SEED });
    });
  });
});
