import { proveServicesKilled } from './prove-services-killed.js';

// Each service once; `npm run proof` kills them more often, under a scheduler, and keeps ClickHouse away for a minute.
proveServicesKilled({
  turns: 1,
  outageMs: 8_000,
  isScheduled: false,
  seed: Number(process.env['HEADGATE_TEST_SEED'] ?? String(Date.now() % 1_000_000)),
});
