import { statSync } from 'node:fs';
import { count, eq, sql as sqlText } from 'drizzle-orm';
import { z } from 'zod';
import { STREAMS, type Stream } from '../../core/raw-event.js';
import { dataDirectoryLayout } from '../../platform/data-directory.js';
import { LakeFiles } from '../../platform/lake-files.js';
import { rows } from '../../platform/sql/migrations.js';
import { conflicts } from '../../platform/sql/schema.js';
import { rawTable } from '../../platform/warehouse/raw-tables.js';
import type { Warehouse } from '../../platform/warehouse/warehouse.js';
import { currentRun, listRuns, type Run } from '../../transforms/run-store.js';
import type { Services } from '../services.js';

const Version = z.object({ version: z.string() });
const StreamRow = z.object({ rows: z.bigint(), behind: z.bigint(), last_recorded_at: z.string().nullable() });

/** Asks every part; slow ones (the audit chain is read whole) are why this is no health check. */
export async function readStatus({
  sql,
  warehouse,
  audit,
  catalogs,
  config,
  ingest,
  codeRevision,
}: Services) {
  const run = await currentRun(sql);
  const [newest] = await listRuns(sql, { limit: 1 });
  const chain = await audit.verify();
  const [postgres] = z.array(Version).parse(await rows(sql.database, sqlText`select version() as version`));
  const [engine] = await warehouse.query('select version() as version', {}, Version);
  const [undecided] = await sql.database
    .select({ count: count() })
    .from(conflicts)
    .where(eq(conflicts.status, 'open'));
  return {
    code_revision: codeRevision,
    sql: {
      version: postgres?.version.split(' on ', 1)[0] ?? 'unknown',
      survives_power_cut: sql.survivesPowerCut,
      audit: chain.ok
        ? { is_whole: true, entries: chain.entries, problem: null }
        : { is_whole: false, entries: chain.sequence, problem: chain.problem },
    },
    warehouse: { version: engine?.version ?? 'unknown', streams: await backlogs(warehouse, run) },
    lake: lakeSize(config.dataDirectory),
    catalog_version: numberOf((await catalogs.list()).at(-1)?.version),
    run: run === null ? null : { run_id: run.runId, as_of: run.asOf, finished_at: run.finishedAt },
    last_failure:
      newest?.status === 'failed'
        ? { run_id: newest.runId, started_at: newest.startedAt, failure: newest.failure ?? '' }
        : null,
    open: {
      quarantined: await ingest.quarantine.count({ status: 'open' }),
      conflicts: undecided?.count ?? 0,
    },
  };
}

function numberOf(version: bigint | undefined): number | null {
  return version === undefined ? null : Number(version);
}

async function backlogs(warehouse: Warehouse, run: Run | null) {
  const backlogOf = async (stream: Stream) => {
    const measured = run?.watermark[stream].find(({ partition }) => partition === 0)?.offset ?? 0n;
    const [row] = await warehouse.query(
      `select count(*) as rows, count(*) filter (where log_offset > $measured) as behind,
         max(recorded_at) as last_recorded_at
       from ${rawTable(stream)}`,
      { measured },
      StreamRow,
    );
    return { stream, rows: 0n, behind: 0n, last_recorded_at: null, ...row };
  };
  return Promise.all(STREAMS.map(backlogOf));
}

function lakeSize(dataDirectory: string): { parts: number; bytes: number } {
  const parts = new LakeFiles(dataDirectoryLayout(dataDirectory).lakeDirectory).parts();
  return { parts: parts.length, bytes: parts.reduce((sum, { path }) => sum + statSync(path).size, 0) };
}
