import { test } from 'vitest';
import { proveKills } from './kill-proof.js';
import { testSeed } from '../support/test-seed.js';

/** Each phase once; `npm run proof` kills a hundred times. HEADGATE_TEST_SEED=7 kills at the moments of another run. */
const SEED = testSeed();

test(
  'killed at random moments of every phase, what was accepted is counted once and the last good marts answer',
  { timeout: 600_000 },
  () => proveKills({ write: 1, append: 1, export: 1, dbt: 1, files: 1, pointer: 1 }, SEED),
);
