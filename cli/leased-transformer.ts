import { RefusedError } from '../core/errors.js';
import { Lease } from '../platform/sql/lease.js';
import type { Sql } from '../platform/sql/sql.js';
import type { AssertLeader } from '../transforms/run-store.js';
import type { Transformer } from '../transforms/runner/transform.js';

const LEASE = 'transform';
const TTL_MS = 30_000;

/**
 * One run at a time in all processes of a company: who was paused and woke up is stopped, and what it has built is not published.
 *
 * @param make is given the fence for its publishing transactions
 */
export function leasedTransformer(
  sql: Sql,
  holder: string,
  make: (assertLeader: AssertLeader) => Transformer,
): Transformer {
  let lease: Lease | null = null;
  const transformer = make(async (database) => {
    if (lease === null) throw runningElsewhere('another process');
    await lease.assertHeld(database);
  });
  return {
    async transform(request) {
      const held = await Lease.acquire(sql, { name: LEASE, holder, ttlMs: TTL_MS });
      if (held === null)
        throw runningElsewhere((await Lease.holderOf(sql, LEASE))?.holder ?? 'another process');
      lease = held;
      const signals = [held.lost, ...(request.signal === undefined ? [] : [request.signal])];
      try {
        return await transformer.transform({ ...request, signal: AbortSignal.any(signals) });
      } finally {
        lease = null;
        await held.release();
      }
    },
    stop: () => transformer.stop(),
  };
}

function runningElsewhere(who: string): RefusedError {
  return new RefusedError(
    'transform_running',
    `a transform is already running (${who}); wait for it, then try again`,
  );
}
