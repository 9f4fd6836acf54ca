import { statSync } from 'node:fs';
import { count, eq, sql as sqlText } from 'drizzle-orm';
import { z } from 'zod';
import { inboxCounts, worstProblem } from '../../ingest/stripe/inbox-store.js';
import { dataDirectoryLayout } from '../../platform/data-directory.js';
import { LakeFiles } from '../../platform/lake-files.js';
import { rows } from '../../platform/sql/migrations.js';
import { conflicts } from '../../platform/sql/schema.js';
import type { Sql } from '../../platform/sql/sql.js';
import { currentRun, listRuns } from '../../transforms/run-store.js';
import type { Services, TopicsStatus } from '../services.js';
import { backlogs } from './backlogs.js';

const Version = z.object({ version: z.string() });

/** Asks every part; slow ones (the audit chain is read whole) are why this is no health check. */
export async function readStatus({
  sql,
  warehouse,
  audit,
  catalogs,
  config,
  ingest,
  topics,
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
      is_server: sql.isShared,
      survives_power_cut: sql.survivesPowerCut,
      audit: chain.ok
        ? { is_whole: true, entries: chain.entries, problem: null }
        : { is_whole: false, entries: chain.sequence, problem: chain.problem },
    },
    warehouse: {
      engine: warehouse.dialect,
      version: engine?.version ?? 'unknown',
      streams: await backlogs(warehouse, run?.watermark ?? null),
    },
    log: topics === null ? null : await logStatus(topics),
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
    inbox: await inboxStatus(sql),
  };
}

async function inboxStatus(sql: Sql) {
  const { oldestAt, ...counts } = await inboxCounts(sql);
  return { ...counts, oldest_at: oldestAt, problem: await worstProblem(sql) };
}

async function logStatus(topics: TopicsStatus) {
  const consumer = topics.status();
  return {
    consumer:
      consumer === null
        ? null
        : {
            state: consumer.state,
            last_error: consumer.lastError?.message ?? null,
            lost_messages: consumer.lostMessages,
          },
    lags: (await topics.lags()).map(({ stream, partition, lag }) => ({ stream, partition, messages: lag })),
  };
}

function numberOf(version: bigint | undefined): number | null {
  return version === undefined ? null : Number(version);
}

function lakeSize(dataDirectory: string): { parts: number; bytes: number } {
  const parts = new LakeFiles(dataDirectoryLayout(dataDirectory).lakeDirectory).parts();
  return { parts: parts.length, bytes: parts.reduce((sum, { path }) => sum + statSync(path).size, 0) };
}
