import type { Instant } from '../../core/time.js';
import type { Sql } from '../../platform/sql/sql.js';
import { abandonedRuns, failRun, markDropped, runStatuses, surplusRuns } from '../run-store.js';
import type { RunBuilder } from './run-builder.js';

interface RetentionDeps {
  readonly sql: Sql;
  readonly builder: RunBuilder;
  readonly clock: () => Instant;
  readonly keepRuns: number;
}

/** Whoever builds now is the only one that may: rows of builds that did not end are closed, and what they left goes. */
export async function forgetAbandonedBuilds({ sql, builder, clock }: RetentionDeps): Promise<void> {
  for (const { runId } of await abandonedRuns(sql)) {
    await failRun(sql, runId, 'the process that built it ended before it was published', clock());
  }
  await builder.removeLeftovers((runIds) => runStatuses(sql, runIds));
}

/** Keeps the newest runs. Readers that still hold another one keep reading. */
export async function removeSurplusRuns({ sql, builder, keepRuns }: RetentionDeps): Promise<void> {
  const surplus = (await surplusRuns(sql, keepRuns)).map(({ runId }) => runId);
  await markDropped(sql, surplus);
  await builder.letGo(surplus);
}
