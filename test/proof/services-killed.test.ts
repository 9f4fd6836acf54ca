import { proveServicesKilled } from '../faults/prove-services-killed.js';
import { testSeed } from '../support/test-seed.js';

/** HEADGATE_TEST_SEED=7 kills at the moments of another run. */
proveServicesKilled({
  turns: 4,
  outageMs: 60_000,
  isScheduled: true,
  seed: testSeed(),
});
