import { rm } from 'node:fs/promises';
import type { Instant } from '../../core/time.js';
import type { DataDirectoryLayout } from '../../platform/data-directory.js';
import type { Sql } from '../../platform/sql/sql.js';
import { abandonedRuns, failRun, markDropped, surplusRuns } from '../run-store.js';

interface RetentionDeps {
  readonly sql: Sql;
  readonly layout: DataDirectoryLayout;
  readonly clock: () => Instant;
  readonly keepRuns: number;
}

/** A killed process leaves a build that nobody ever read: its row is closed and its files go. */
export async function forgetAbandonedBuilds(deps: RetentionDeps): Promise<void> {
  for (const { runId } of await abandonedRuns(deps.sql)) {
    await rm(deps.layout.runDirectory(runId), { recursive: true, force: true });
    await failRun(deps.sql, runId, 'the process that built it ended before it was published', deps.clock());
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
