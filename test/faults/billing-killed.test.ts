import { test } from 'vitest';
import { testSeed } from '../support/test-seed.js';
import { proveBillingKilled } from './prove-billing-killed.js';

/** A few kills; `npm run proof` kills forty times, on PGlite and on Postgres. HEADGATE_TEST_SEED=7 kills at the moments of another run. */
const SEED = testSeed();

test(
  'a billing process that is killed again and again bills each org’s months once, at Stripe and in the ledger',
  { timeout: 240_000 },
  () => proveBillingKilled({ databaseUrl: null, orgs: 4, kills: 4, seed: SEED }),
);
