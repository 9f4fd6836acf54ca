import { once } from 'node:events';
import { Lease } from '../platform/sql/lease.js';
import type { Sql } from '../platform/sql/sql.js';
import type { Leadership } from './scheduler.js';

const LEASE = 'scheduler';
const TTL_MS = 30_000;

/** Of several processes with this duty one leads, and the next one when it is gone. */
export function leasedLeadership(sql: Sql, holder: string): Leadership {
  const stopping = new AbortController();
  let lease: Lease | null = null;
  const keeping = keepTurn();

  async function keepTurn(): Promise<void> {
    while (!stopping.signal.aborted) {
      lease = await Lease.wait(sql, { name: LEASE, holder, ttlMs: TTL_MS }, stopping.signal);
      if (lease === null) return;
      const over = AbortSignal.any([lease.lost, stopping.signal]);
      if (!over.aborted) await once(over, 'abort');
    }
  }

  return {
    async whileLeading(work) {
      if (lease?.isHeld === true) await work();
    },
    async stop() {
      stopping.abort();
      await keeping;
      await lease?.release();
    },
  };
}
