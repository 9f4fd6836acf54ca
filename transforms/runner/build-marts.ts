import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { formatInstant, type Instant } from '../../core/time.js';
import { watermarkJson } from '../run-store.js';
import { factsDefinitionDigest } from './definition-digest.js';
import { runDbt } from './dbt.js';
import { exportRunFacts } from './run-facts.js';
import { writeRunInputs } from './run-inputs.js';
import type { RunPlan, TransformDeps, TransformRequest } from './transform.js';

/** What a build tells about itself, for `run_info`'s siblings in SQL: rows by stream, and where the time went. */
export interface BuiltMarts {
  readonly eventCounts: Readonly<Record<string, number>>;
  readonly timings: Readonly<Record<string, number>>;
}

const EventCount = z.object({ stream: z.string(), events: z.bigint() });

/** dbt speaks instants as 'YYYY-MM-DD HH:MM:SS' in UTC. */
const sqlInstant = (instant: Instant): string => formatInstant(instant).slice(0, 19).replace('T', ' ');

/**
 * Builds a run's marts and facts in the build folder, then moves them to the run's own folder. Nothing here is readable by
 * anybody until the run is published, so a kill at any point leaves nothing half done.
 */
export async function buildMarts(
  plan: RunPlan,
  request: TransformRequest & { readonly onProgress: (message: string) => void },
  deps: TransformDeps,
): Promise<BuiltMarts> {
  const stopwatch = createStopwatch(deps.clock);
  // dbt re-reads every file of the project when a path in its profile changes, so every build uses the same paths.
  const build = join(deps.layout.temporaryDirectory, 'build');
  await rm(build, { recursive: true, force: true });
  await mkdir(build, { recursive: true });

  request.onProgress('Bringing new events into the lake …');
  await deps.exportLake(plan.watermark);
  await writeRunInputs(deps.warehouse, join(build, 'inputs'), plan.tables);
  stopwatch.lap('export');

  const python = await deps.python(request.onProgress);
  stopwatch.lap('python');

  // A historical run goes around the kept facts: it builds its own, beside its marts.
  const factsFile = plan.isHistorical ? join(build, 'facts.duckdb') : deps.layout.factsFile;
  request.onProgress('Building and testing the marts …');
  const outcome = await runDbt({
    dbt: python.dbt,
    target: 'duckdb',
    scratchDirectory: join(deps.layout.root, 'dbt'),
    environment: { HEADGATE_MARTS_FILE: join(build, 'marts.duckdb'), HEADGATE_FACTS_FILE: factsFile },
    variables: {
      as_of: sqlInstant(plan.asOf),
      run_id: plan.runId,
      run_started: sqlInstant(plan.startedAt),
      code_revision: deps.codeRevision,
      lake: deps.layout.lakeDirectory,
      catalog_dir: join(build, 'inputs'),
      catalog_version: Number(plan.catalogVersion ?? 0n),
      watermark: watermarkJson(plan.watermark),
      incremental: plan.isIncremental,
      facts_definition: await factsDefinitionDigest(),
    },
    inherited: deps.inherited,
    onNode: (_node, done) => {
      if (done % 10 === 0) request.onProgress(`Building and testing the marts … ${done} parts done`);
    },
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  });
  stopwatch.lap('dbt');

  const isPreviousCurrent = plan.current !== null && plan.current.runId === plan.kept?.runId;
  await exportRunFacts(deps.warehouse, {
    build,
    factsFile,
    before: plan.kept,
    previousRunDirectory: isPreviousCurrent ? plan.current.location : null,
  });
  stopwatch.lap('facts');
  const eventCounts = await countEvents(build, deps);
  await moveIntoPlace(build, deps.layout.runDirectory(plan.runId));
  return { eventCounts, timings: { ...stopwatch.laps(), nodes: outcome.nodes } };
}

async function countEvents(build: string, deps: TransformDeps): Promise<Record<string, number>> {
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

/** The folder appears whole or not at all, and is on disk before a pointer can name it. */
async function moveIntoPlace(build: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await rm(join(build, 'inputs'), { recursive: true, force: true });
  await rename(build, target);
  const parent = await open(dirname(target));
  await parent.sync();
  await parent.close();
}

function createStopwatch(clock: () => Instant) {
  const laps: Record<string, number> = {};
  let last = clock();
  return {
    lap(name: string): void {
      const now = clock();
      laps[`${name}_ms`] = Number((now - last) / 1000n);
      last = now;
    },
    laps: (): Readonly<Record<string, number>> => laps,
  };
}
