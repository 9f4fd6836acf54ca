import { proveServicesKilled } from '../faults/prove-services-killed.js';

/** HEADGATE_TEST_SEED=7 kills at the moments of another run. */
proveServicesKilled({
  turns: 4,
  outageMs: 60_000,
  isScheduled: true,
  seed: Number(process.env['HEADGATE_TEST_SEED'] ?? String(Date.now() % 1_000_000)),
});
