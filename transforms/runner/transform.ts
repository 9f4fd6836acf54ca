import { randomBytes } from 'node:crypto';
import { RefusedError } from '../../core/errors.js';
import { newId, RANDOM_BYTES } from '../../core/ids.js';
import { MICROS_PER_SECOND, type Instant } from '../../core/time.js';
import type { WatermarkVector } from '../../core/raw-event.js';
import type { DataDirectoryLayout } from '../../platform/data-directory.js';
import type { Sql } from '../../platform/sql/sql.js';
import type { BulkWarehouse } from '../../platform/warehouse/bulk-warehouse.js';
import type { Warehouse } from '../../platform/warehouse/warehouse.js';
import { beginRun, currentRun, failRun, findRun, publishRun, type Run } from '../run-store.js';
import { buildMarts } from './build-marts.js';
import { readKeptFacts, type KeptFacts } from './kept-facts.js';
import type { PythonEnvironment } from './python-environment.js';
import { forgetAbandonedBuilds, removeSurplusRuns } from './retention.js';
import type { InputTable } from './run-inputs.js';

/** What a run measures. Without `asOf`: everything up to now. */
export interface TransformRequest {
  readonly asOf?: Instant;
  /** Build the kept facts anew instead of only what changed. */
  readonly fullRefresh?: boolean;
  readonly onProgress?: (message: string) => void;
  readonly signal?: AbortSignal;
}

export interface TransformDeps {
  readonly sql: Sql;
  readonly warehouse: Warehouse & BulkWarehouse;
  readonly layout: DataDirectoryLayout;
  readonly clock: () => Instant;
  readonly codeRevision: string;
  /** PATH, HOME and the like, for dbt; nothing secret. */
  readonly inherited: Readonly<Record<string, string | undefined>>;
  readonly keepRuns: number;
  readonly python: (onProgress: (message: string) => void) => Promise<PythonEnvironment>;
  /** Brings the raw rows up to the watermark into the lake. */
  readonly exportLake: (watermark: WatermarkVector) => Promise<void>;
  /** Finds identities that came with other content since the run before (null: ever), and reports them. */
  readonly reportConflicts: (range: { from: WatermarkVector | null; to: WatermarkVector }) => Promise<void>;
  /** Told as soon as a run is published, before older ones are removed. */
  readonly onPublished: () => void;
  /** The catalog's tables and the decisions on conflicts, as of now. */
  readonly inputs: () => Promise<{
    readonly catalogVersion: bigint | null;
    readonly tables: Readonly<Record<string, InputTable>>;
  }>;
}

/** Everything a run depends on, fixed before it starts: the same plan over the same log gives the same marts. */
export interface RunPlan {
  readonly runId: string;
  readonly asOf: Instant;
  readonly startedAt: Instant;
  readonly watermark: WatermarkVector;
  readonly catalogVersion: bigint | null;
  readonly tables: Readonly<Record<string, InputTable>>;
  /** An as-of before the current run's: measured beside the kept facts, and not what readers get unless they ask. */
  readonly isHistorical: boolean;
  readonly isIncremental: boolean;
  /** What the kept facts stand at before this run, and the current run. */
  readonly kept: KeptFacts | null;
  readonly current: Run | null;
}

const toSecond = (instant: Instant): Instant => instant - (instant % MICROS_PER_SECOND);

async function planRun(request: TransformRequest, deps: TransformDeps): Promise<RunPlan> {
  const startedAt = deps.clock();
  const asOf = toSecond(request.asOf ?? startedAt);
  const inputs = await deps.inputs();
  const current = await currentRun(deps.sql);
  const kept = await readKeptFacts(deps.warehouse, deps.layout.factsFile);
  const isHistorical = current !== null && asOf < current.asOf;
  return {
    runId: newId('run', startedAt, randomBytes(RANDOM_BYTES)),
    asOf,
    startedAt,
    watermark: await deps.warehouse.positions(),
    catalogVersion: inputs.catalogVersion,
    tables: inputs.tables,
    isHistorical,
    // A build that failed may have taken the kept facts past this as-of; then they are built anew.
    isIncremental: request.fullRefresh !== true && !isHistorical && kept !== null && kept.asOf <= asOf,
    kept,
    current,
  };
}

/**
 * Builds the marts and, when every test on them has passed, publishes them as one run.
 *
 * @throws TransformFailed when a model or a test fails; what was served stays served
 */
async function transform(request: TransformRequest, deps: TransformDeps): Promise<Run> {
  const progress = request.onProgress ?? (() => undefined);
  await forgetAbandonedBuilds(deps);
  const plan = await planRun(request, deps);
  await beginRun(deps.sql, {
    runId: plan.runId,
    asOf: plan.asOf,
    startedAt: plan.startedAt,
    watermark: plan.watermark,
    catalogVersion: plan.catalogVersion,
    isHistorical: plan.isHistorical,
    isIncremental: plan.isIncremental,
    codeRevision: deps.codeRevision,
    location: deps.layout.runDirectory(plan.runId),
  });
  try {
    await deps.reportConflicts({ from: plan.current?.watermark ?? null, to: plan.watermark });
    const built = await buildMarts(plan, { ...request, onProgress: progress }, deps);
    await publishRun(deps.sql, plan.runId, { ...built, finishedAt: deps.clock() });
    deps.onPublished();
  } catch (error) {
    await failRun(deps.sql, plan.runId, error instanceof Error ? error.message : String(error), deps.clock());
    throw error;
  }
  await removeSurplusRuns(deps);
  const run = await findRun(deps.sql, plan.runId);
  if (run === null) throw new RefusedError('run_not_found', `run ${plan.runId} is gone; run transform again`);
  return run;
}

/** One run at a time: two would build into the same facts. */
export function createTransformer(deps: TransformDeps): (request: TransformRequest) => Promise<Run> {
  let running = false;
  return async (request) => {
    if (running) {
      throw new RefusedError(
        'transform_running',
        'a transform is already running; wait for it, then try again',
      );
    }
    running = true;
    try {
      return await transform(request, deps);
    } finally {
      running = false;
    }
  };
}
