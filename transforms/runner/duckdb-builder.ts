import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { formatInstant, type Instant } from '../../core/time.js';
import type { WatermarkVector } from '../../core/raw-event.js';
import type { DataDirectoryLayout } from '../../platform/data-directory.js';
import { syncDirectory } from '../../platform/durable-file.js';
import type { LakeLease } from '../../platform/lake-files.js';
import type { BulkWarehouse } from '../../platform/warehouse/bulk-warehouse.js';
import { buildWithDbt, type DbtSetup } from './dbt-build.js';
import { readKeptFacts, removeFacts } from './kept-facts.js';
import {
  EventCount,
  type BuildRequest,
  type BuiltMarts,
  type RunBuilder,
  type StatusesOf,
} from './run-builder.js';
import { exportRunFacts } from './run-facts.js';
import { writeRunInputs } from './run-inputs.js';
import { runVariables } from './run-variables.js';
import { createStopwatch, type Stopwatch } from './stopwatch.js';
import type { RunPlan } from './transform.js';

export interface DuckdbBuilderDeps {
  readonly warehouse: BulkWarehouse;
  readonly layout: DataDirectoryLayout;
  readonly clock: () => Instant;
  readonly dbt: DbtSetup;
  /** Brings the raw rows up to the watermark into the lake. */
  readonly exportLake: (watermark: WatermarkVector) => Promise<void>;
  /** Keeps the lake's files where they are while dbt reads them. */
  readonly leaseLake: () => Pick<LakeLease, 'release'>;
  /** Merges small lake files; asked once a day, after a run. */
  readonly compactLake: () => Promise<void>;
}

/** Runs as files of the data directory: each is a folder with its marts and its facts. */
export function duckdbBuilder(deps: DuckdbBuilderDeps): RunBuilder {
  const { layout, warehouse } = deps;
  return {
    locationOf: (runId) => relative(layout.root, layout.runDirectory(runId)),
    readKeptFacts: () => readKeptFacts(warehouse, layout.factsFile),
    build: (plan, request) => buildMarts(plan, request, deps),
    removeLeftovers: (statusesOf) => removeLeftovers(layout, statusesOf),
    letGo: async (runIds) => {
      // Their files stay open to those who read them.
      for (const runId of runIds) await rm(layout.runDirectory(runId), { recursive: true, force: true });
    },
    afterPublication: async ({ current, startedAt }) => {
      const isFirstOfDay = current === null || dayOf(current.startedAt) !== dayOf(startedAt);
      if (isFirstOfDay) await deps.compactLake();
    },
  };
}

const dayOf = (instant: Instant): string => formatInstant(instant).slice(0, 10);

/** A killed process leaves a build that nobody ever read, or files of runs that were on their way out. */
async function removeLeftovers(layout: DataDirectoryLayout, statusesOf: StatusesOf): Promise<void> {
  const present = (await readdir(layout.runsDirectory)).filter((name) => name.startsWith('run_'));
  const statuses = await statusesOf(present);
  for (const runId of present) {
    if (statuses.get(runId) === 'published') continue;
    await rm(layout.runDirectory(runId), { recursive: true, force: true });
  }
}

/**
 * Builds a run's marts and facts in the build folder, then moves them to the run's own folder. Nothing here is readable by
 * anybody until the run is published, so a kill at any point leaves nothing half done.
 */
async function buildMarts(
  plan: RunPlan,
  request: BuildRequest,
  deps: DuckdbBuilderDeps,
): Promise<BuiltMarts> {
  const stopwatch = createStopwatch(deps.clock);
  const build = join(deps.layout.temporaryDirectory, 'build');
  await rm(build, { recursive: true, force: true });
  await mkdir(build, { recursive: true });

  request.onProgress('Bringing new events into the lake …');
  await deps.exportLake(plan.watermark);
  await writeRunInputs(deps.warehouse, join(build, 'inputs'), plan.tables);
  stopwatch.lap('export');

  // A historical run goes around the kept facts: it builds its own, beside its marts.
  const factsFile = plan.isHistorical ? join(build, 'facts.duckdb') : deps.layout.factsFile;
  if (!plan.isIncremental) await removeFacts(factsFile);
  const outcome = await buildFromLake(plan, { build, factsFile }, request, deps, stopwatch);

  request.onProgress('Writing the facts of the run …');
  const isPreviousCurrent = plan.current !== null && plan.current.runId === plan.kept?.runId;
  await exportRunFacts(deps.warehouse, {
    build,
    factsFile,
    before: plan.kept,
    previousRunDirectory: isPreviousCurrent ? deps.layout.runDirectory(plan.current.runId) : null,
  });
  stopwatch.lap('facts');
  const eventCounts = await countEvents(build, deps);
  await moveIntoPlace(build, deps.layout.runDirectory(plan.runId));
  return { eventCounts, timings: { ...stopwatch.laps(), nodes: outcome.nodes } };
}

async function buildFromLake(
  plan: RunPlan,
  { build, factsFile }: { build: string; factsFile: string },
  request: BuildRequest,
  deps: DuckdbBuilderDeps,
  stopwatch: Stopwatch,
): Promise<{ nodes: number }> {
  // dbt parses the project anew when a path of its profile is another, so they are told as seen from the build folder, the same for
  // all runs of all data directories but historical ones.
  const variant = plan.isHistorical ? 'historical' : 'current';
  // Compaction waits: dbt opens the lake's files by name, at some point of its run.
  const lease = deps.leaseLake();
  try {
    return await buildWithDbt(
      deps.dbt,
      {
        target: 'duckdb',
        variant,
        scratchDirectory: join(deps.layout.root, 'dbt', variant),
        workingDirectory: build,
        environment: {
          HEADGATE_MARTS_FILE: 'marts.duckdb',
          HEADGATE_FACTS_FILE: relative(build, factsFile),
        },
        variables: {
          ...(await runVariables(plan)),
          lake: deps.layout.lakeDirectory,
          catalog_dir: join(build, 'inputs'),
        },
      },
      request,
      stopwatch,
    );
  } finally {
    lease.release();
  }
}

async function countEvents(build: string, deps: DuckdbBuilderDeps): Promise<Record<string, number>> {
  const file = join(build, 'marts.duckdb').replaceAll("'", "''");
  return deps.warehouse.bulk(async (session) => {
    await session.run(`attach '${file}' as built (read_only)`);
    try {
      const rows = await session.query(
        'select stream, events from built.main.run_event_counts',
        {},
        EventCount,
      );
      return Object.fromEntries(rows.map(({ stream, events }) => [stream, Number(events)]));
    } finally {
      await session.run('detach built');
    }
  });
}

/** The folder appears whole or not at all. */
async function moveIntoPlace(build: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await rm(join(build, 'inputs'), { recursive: true, force: true });
  await rename(build, target);
  await syncDirectory(dirname(target));
}
