import { getMetric } from './metrics/get-metric.js';
import { drillMetric } from './metrics/drill-metric.js';
import { listMetrics } from './metrics/list-metrics.js';
import { createKey } from './keys/create-key.js';
import { listKeys } from './keys/list-keys.js';
import { revokeKey } from './keys/revoke-key.js';
import type { Operation } from './operation.js';
import { createRun } from './runs/create-run.js';
import { listRuns } from './runs/list-runs.js';
import { getSchema } from './schemas/get-schema.js';
import { health } from './system/health.js';
import { readiness } from './system/readiness.js';

/** The whole API, in the order of its document. A new operation is a file and a line here. */
export const operations: readonly Operation[] = [
  listMetrics,
  getMetric,
  drillMetric,
  createRun,
  listRuns,
  getSchema,
  createKey,
  listKeys,
  revokeKey,
  health,
  readiness,
];
