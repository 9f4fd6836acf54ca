import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { formatInstant, type Instant } from '../../core/time.js';
import { syncDirectory } from '../../platform/durable-file.js';
import { watermarkJson } from '../run-store.js';
import { factsDefinitionDigest } from './definition-digest.js';
import { runDbt, type DbtOutcome } from './dbt.js';
import { prepareParsedProject } from './parsed-project.js';
import { removeFacts } from './kept-facts.js';
import { exportRunFacts } from './run-facts.js';
import { writeRunInputs } from './run-inputs.js';
import type { RunPlan, TransformDeps, TransformRequest } from './transform.js';

/** What a build tells about itself, for `run_info`'s siblings in SQL: rows by stream, and where the time went. */
export interface BuiltMarts {
  readonly eventCounts: Readonly<Record<string, number>>;
  readonly timings: Readonly<Record<string, number>>;
}

type BuildRequest = TransformRequest & { readonly onProgress: (message: string) => void };

const EventCount = z.object({ stream: z.string(), events: z.bigint() });

/** dbt speaks instants as 'YYYY-MM-DD HH:MM:SS' in UTC. */
const sqlInstant = (instant: Instant): string => formatInstant(instant).slice(0, 19).replace('T', ' ');

/**
 * Builds a run's marts and facts in the build folder, then moves them to the run's own folder. Nothing here is readable by
 * anybody until the run is published, so a kill at any point leaves nothing half done.
 */
export async function buildMarts(
  plan: RunPlan,
  request: BuildRequest,
  deps: TransformDeps,
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
  const outcome = await buildWithDbt(plan, { build, factsFile }, request, deps, stopwatch);

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

async function buildWithDbt(
  plan: RunPlan,
  { build, factsFile }: { build: string; factsFile: string },
  request: BuildRequest,
  deps: TransformDeps,
  stopwatch: Stopwatch,
): Promise<DbtOutcome> {
  const python = await deps.python(request.onProgress);
  stopwatch.lap('python');
  request.onProgress('Building and testing the marts …');
  // dbt parses the project anew when a path of its profile is another, so they are told as seen from the build folder, the same for
  // all runs of all data directories but historical ones.
  const variant = plan.isHistorical ? 'historical' : 'current';
  const scratchDirectory = join(deps.layout.root, 'dbt', variant);
  const offerParsed = await prepareParsedProject({
    targetPath: join(scratchDirectory, 'target'),
    cacheDirectory: deps.cacheDirectory,
    variant: `${python.dbt} ${variant}`,
  });
  // Compaction waits: dbt opens the lake's files by name, at some point of its run.
  const lease = deps.leaseLake();
  try {
    const outcome = await runDbt({
      dbt: python.dbt,
      target: 'duckdb',
      scratchDirectory,
      workingDirectory: build,
      processFile: deps.layout.dependentFile,
      environment: {
        HEADGATE_MARTS_FILE: 'marts.duckdb',
        HEADGATE_FACTS_FILE: relative(build, factsFile),
      },
      variables: await variablesOf(plan, join(build, 'inputs'), deps),
      inherited: deps.inherited,
      onNode: (_node, done) => {
        if (done % 10 === 0) request.onProgress(`Building and testing the marts … ${done} parts done`);
      },
      signal: request.signal,
    });
    await offerParsed();
    return outcome;
  } finally {
    lease.release();
    stopwatch.lap('dbt');
  }
}

async function variablesOf(
  plan: RunPlan,
  inputs: string,
  deps: TransformDeps,
): Promise<Readonly<Record<string, unknown>>> {
  return {
    as_of: sqlInstant(plan.asOf),
    run_id: plan.runId,
    run_started: sqlInstant(plan.startedAt),
    code_revision: deps.codeRevision,
    lake: deps.layout.lakeDirectory,
    catalog_dir: inputs,
    catalog_version: Number(plan.catalogVersion ?? 0n),
    watermark: watermarkJson(plan.watermark),
    incremental: plan.isIncremental,
    facts_definition: await factsDefinitionDigest(),
  };
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

/** The folder appears whole or not at all. */
async function moveIntoPlace(build: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await rm(join(build, 'inputs'), { recursive: true, force: true });
  await rename(build, target);
  await syncDirectory(dirname(target));
}

interface Stopwatch {
  lap(name: string): void;
  laps(): Readonly<Record<string, number>>;
}

function createStopwatch(clock: () => Instant): Stopwatch {
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
