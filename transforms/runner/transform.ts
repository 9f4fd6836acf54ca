import { randomBytes } from 'node:crypto';
import { RefusedError, UnavailableError } from '../../core/errors.js';
import { newId, RANDOM_BYTES } from '../../core/ids.js';
import { MICROS_PER_SECOND, type Instant } from '../../core/time.js';
import type { WatermarkVector } from '../../core/raw-event.js';
import { knownError } from '../../platform/known-error.js';
import type { Sql } from '../../platform/sql/sql.js';
import { messageOf } from '../../platform/warehouse/duckdb-errors.js';
import type { Warehouse } from '../../platform/warehouse/warehouse.js';
import {
  beginRun,
  currentRun,
  failRun,
  findRun,
  publishRun,
  type AssertLeader,
  type Run,
} from '../run-store.js';
import { forgetAbandonedBuilds, removeSurplusRuns } from './retention.js';
import type { KeptFacts, RunBuilder } from './run-builder.js';
import type { InputTable } from './run-inputs.js';

/** What a run measures. Without `asOf`: everything up to now. */
export interface TransformRequest {
  readonly asOf?: Instant;
  /** Build the kept facts anew instead of only what changed. */
  readonly fullRefresh?: boolean;
  readonly onProgress?: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface TransformDeps {
  readonly sql: Sql;
  /** Tells up to where the log counts. */
  readonly warehouse: Pick<Warehouse, 'positions'>;
  readonly builder: RunBuilder;
  readonly clock: () => Instant;
  readonly codeRevision: string;
  readonly keepRuns: number;
  /** Finds identities that came with other content since the run before (null: ever), and reports them. */
  readonly reportConflicts: (range: { from: WatermarkVector | null; to: WatermarkVector }) => Promise<void>;
  /** Told as soon as a run is published, before older ones are removed. */
  readonly onPublished: () => void;
  readonly inputs: RunInputs;
  /** Where several processes may build: throws inside the publishing transaction when another one has taken over. */
  readonly assertLeader?: AssertLeader;
}

/** The small tables that a run reads beside the events, as of now. */
export interface RunInputs {
  readonly catalog: () => Promise<{
    readonly version: bigint | null;
    readonly tables: Readonly<Record<string, InputTable>>;
  }>;
  /** Which arrivals of conflicting identities stand. */
  readonly decisions: () => Promise<InputTable>;
}

/** Everything a run depends on, fixed before it is built: the same plan over the same log gives the same marts. */
export interface RunPlan {
  readonly runId: string;
  readonly asOf: Instant;
  readonly startedAt: Instant;
  readonly watermark: WatermarkVector;
  readonly catalogVersion: bigint | null;
  readonly codeRevision: string;
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
  const catalog = await deps.inputs.catalog();
  const current = await currentRun(deps.sql);
  const kept = await deps.builder.readKeptFacts(current);
  const isHistorical = current !== null && asOf < current.asOf;
  return {
    runId: newId('run', startedAt, randomBytes(RANDOM_BYTES)),
    asOf,
    startedAt,
    watermark: await deps.warehouse.positions(),
    catalogVersion: catalog.version,
    codeRevision: deps.codeRevision,
    tables: catalog.tables,
    isHistorical,
    // A build that failed may have taken the kept facts past this as-of; then they are built anew.
    isIncremental: request.fullRefresh !== true && !isHistorical && kept !== null && kept.asOf <= asOf,
    kept,
    current,
  };
}

/**
 * Builds the marts and, when every test on them has passed, publishes them as one run. Whatever fails, what was served stays served.
 *
 * @throws TransformFailed when a model or a test fails
 * @throws UnavailableError `disk_full`; `shutting_down` when it was stopped
 */
async function transform(request: TransformRequest, deps: TransformDeps): Promise<Run> {
  const onProgress = request.onProgress ?? (() => undefined);
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
    codeRevision: plan.codeRevision,
    location: deps.builder.locationOf(plan.runId),
  });
  try {
    await deps.reportConflicts({ from: plan.current?.watermark ?? null, to: plan.watermark });
    // Asked for after the conflicts were written down: with several partitions, what stood first may not be what sorts first.
    const tables = { ...plan.tables, conflict_decisions: await deps.inputs.decisions() };
    const built = await deps.builder.build({ ...plan, tables }, { ...request, onProgress });
    onProgress('Publishing …');
    await publishRun(deps.sql, plan.runId, { ...built, finishedAt: deps.clock() }, deps.assertLeader);
    deps.onPublished();
  } catch (error) {
    await failRun(deps.sql, plan.runId, messageOf(error), deps.clock()).catch(() => {
      // A full disk takes no note either; the next transform closes the row.
    });
    throw error;
  }
  await tidyUp(plan, onProgress, deps);
  const run = await findRun(deps.sql, plan.runId);
  if (run === null) throw new RefusedError('run_not_found', `run ${plan.runId} is gone; run transform again`);
  return run;
}

/** The run is published whatever happens here; what is not tidied now is with the next run. */
async function tidyUp(
  plan: RunPlan,
  onProgress: (message: string) => void,
  deps: TransformDeps,
): Promise<void> {
  try {
    await removeSurplusRuns(deps);
    await deps.builder.afterPublication(plan);
  } catch (error) {
    onProgress(`Tidying up waits for the next run: ${messageOf(error)}`);
  }
}

export interface Transformer {
  /** One run at a time: two would build into the same facts. */
  transform(request: TransformRequest): Promise<Run>;
  /** Ends the run under way, if there is one, and returns when it has ended. */
  stop(): Promise<void>;
}

export function createTransformer(deps: TransformDeps): Transformer {
  const stopped = new AbortController();
  let running: Promise<unknown> | null = null;
  return {
    async transform(request) {
      if (stopped.signal.aborted) throw stoppedError();
      if (running !== null) {
        throw new RefusedError(
          'transform_running',
          'a transform is already running; wait for it, then try again',
        );
      }
      const signals = [stopped.signal, ...(request.signal === undefined ? [] : [request.signal])];
      const run = transform({ ...request, signal: AbortSignal.any(signals) }, deps);
      running = run.catch(() => undefined);
      try {
        return await run;
      } catch (error) {
        throw runError(error);
      } finally {
        running = null;
      }
    },
    async stop() {
      stopped.abort();
      await running;
    },
  };
}

function stoppedError(): UnavailableError {
  return new UnavailableError('shutting_down', 'headgate is stopping; run transform again when it is back');
}

function runError(error: unknown): unknown {
  const known = knownError(error);
  if (!(known instanceof UnavailableError) || known.code !== 'disk_full') return known;
  return new UnavailableError(
    'disk_full',
    'the run was not published: the disk is full; the previous numbers stay. Free some space, then: headgate transform',
    { cause: error },
  );
}
