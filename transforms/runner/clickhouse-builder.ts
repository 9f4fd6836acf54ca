import type { Instant } from '../../core/time.js';
import type { ClickHouseConfig } from '../../platform/config.js';
import type { DataDirectoryLayout } from '../../platform/data-directory.js';
import { factsDatabase, runDatabase } from '../../platform/warehouse/clickhouse-target.js';
import {
  buildDatabases,
  dropBuild,
  dropLeftovers,
  instanceOf,
  namesOf,
  type BuildConnection,
  type BuildDatabases,
} from './clickhouse-databases.js';
import { clickHouseDbt } from './clickhouse-dbt.js';
import { cloneFacts, readRunFacts } from './clickhouse-facts.js';
import { writeClickHouseInputs } from './clickhouse-inputs.js';
import { moveViews } from './clickhouse-views.js';
import { buildWithDbt, type DbtSetup } from './dbt-build.js';
import { EventCount, type BuildRequest, type BuiltMarts, type RunBuilder } from './run-builder.js';
import { createStopwatch } from './stopwatch.js';
import type { RunPlan } from './transform.js';

export interface ClickHouseBuilderDeps {
  readonly connection: BuildConnection;
  readonly config: ClickHouseConfig;
  readonly layout: Pick<DataDirectoryLayout, 'root'>;
  readonly clock: () => Instant;
  readonly dbt: DbtSetup;
}

/** Runs as databases of a ClickHouse server: one of marts and one of facts each, which never change once they have the run's name. */
export function clickHouseBuilder(deps: ClickHouseBuilderDeps): RunBuilder {
  const { connection, layout } = deps;
  const main = connection.target.database;
  const databases = async (): Promise<BuildDatabases> => buildDatabases(main, await instanceOf(layout.root));
  return {
    locationOf: (runId) => runDatabase(main, runId),
    readKeptFacts: (current) => readRunFacts(connection, current),
    build: async (plan, request) => buildMarts(plan, request, await databases(), deps),
    removeLeftovers: async (statusesOf) => dropLeftovers(connection, await databases(), statusesOf),
    // Nothing keeps a table for those who read it: they have until the next run, which drops what this one let go.
    letGo: () => Promise.resolve(),
    afterPublication: async (plan) => {
      if (!plan.isHistorical) await moveViews(connection, runDatabase(main, plan.runId));
    },
  };
}

/** Builds in databases of this process's own, which get the run's names when every test has passed. */
async function buildMarts(
  plan: RunPlan,
  request: BuildRequest,
  databases: BuildDatabases,
  deps: ClickHouseBuilderDeps,
): Promise<BuiltMarts> {
  const { connection, config, layout } = deps;
  const stopwatch = createStopwatch(deps.clock);
  try {
    await prepare(connection, plan, databases);
    stopwatch.lap('prepare');
    const call = await clickHouseDbt(plan, databases, {
      target: connection.target,
      config,
      root: layout.root,
    });
    const outcome = await buildWithDbt(deps.dbt, call, request, stopwatch);
    const eventCounts = await countEvents(connection, databases);
    await moveIntoPlace(connection, plan, databases);
    stopwatch.lap('rename');
    return { eventCounts, timings: { ...stopwatch.laps(), nodes: outcome.nodes } };
  } finally {
    // What is left of a build is of no use to the next one. When the server is away, the next one drops it.
    await dropBuild(connection, databases).catch(() => undefined);
  }
}

async function prepare(connection: BuildConnection, plan: RunPlan, databases: BuildDatabases): Promise<void> {
  await dropBuild(connection, databases);
  for (const database of namesOf(databases)) await connection.command(`CREATE DATABASE ${database}`);
  await writeClickHouseInputs(connection, databases.inputs, plan.tables);
  if (!plan.isIncremental || plan.kept === null) return;
  await cloneFacts(connection, factsDatabase(connection.target.database, plan.kept.runId), databases.facts);
}

async function countEvents(
  connection: BuildConnection,
  { marts }: BuildDatabases,
): Promise<Record<string, number>> {
  const rows = await connection.query(`SELECT stream, events FROM ${marts}.run_event_counts`, {}, EventCount);
  return Object.fromEntries(rows.map(({ stream, events }) => [stream, Number(events)]));
}

/** Facts first: a run whose marts have their place is whole. Nobody looks at either before it is published. */
async function moveIntoPlace(
  connection: BuildConnection,
  { runId }: RunPlan,
  { marts, facts }: BuildDatabases,
): Promise<void> {
  const main = connection.target.database;
  await connection.command(`RENAME DATABASE ${facts} TO ${factsDatabase(main, runId)}`);
  await connection.command(`RENAME DATABASE ${marts} TO ${runDatabase(main, runId)}`);
}
