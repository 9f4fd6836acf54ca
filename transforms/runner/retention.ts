import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Instant } from '../../core/time.js';
import type { DataDirectoryLayout } from '../../platform/data-directory.js';
import type { Sql } from '../../platform/sql/sql.js';
import { abandonedRuns, failRun, markDropped, publishedRunIds, surplusRuns } from '../run-store.js';

interface RetentionDeps {
  readonly sql: Sql;
  readonly layout: DataDirectoryLayout;
  readonly clock: () => Instant;
  readonly keepRuns: number;
}

/** A killed process leaves a build that nobody ever read, or files of runs that were on their way out: rows are closed, files go. */
export async function forgetAbandonedBuilds(deps: RetentionDeps): Promise<void> {
  for (const { runId } of await abandonedRuns(deps.sql)) {
    await failRun(deps.sql, runId, 'the process that built it ended before it was published', deps.clock());
  }
  const published = await publishedRunIds(deps.sql);
  for (const name of await readdir(deps.layout.runsDirectory)) {
    if (name.startsWith('run_') && !published.has(name)) {
      await rm(join(deps.layout.runsDirectory, name), { recursive: true, force: true });
    }
  }
}

/** Keeps the newest runs. Readers that still hold a removed one keep reading: its files stay open to them. */
export async function removeSurplusRuns(deps: RetentionDeps): Promise<void> {
  const surplus = await surplusRuns(deps.sql, deps.keepRuns);
  await markDropped(
    deps.sql,
    surplus.map(({ runId }) => runId),
  );
  for (const { runId } of surplus) {
    await rm(deps.layout.runDirectory(runId), { recursive: true, force: true });
  }
}
