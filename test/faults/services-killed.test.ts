import { proveServicesKilled } from './prove-services-killed.js';
import { testSeed } from '../support/test-seed.js';

// Each service once; `npm run proof` kills them more often, under a scheduler, and keeps ClickHouse away for a minute.
proveServicesKilled({
  turns: 1,
  outageMs: 8_000,
  isScheduled: false,
  seed: testSeed(),
});
