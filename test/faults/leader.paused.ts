import { systemClock } from '../../cli/runtime.js';
import { Lease } from '../../platform/sql/lease.js';
import { pointers } from '../../platform/sql/schema.js';
import { transaction } from '../../platform/sql/sql.js';
import { knownError } from '../../platform/known-error.js';
import { HeadgateError } from '../../core/errors.js';
import { openTestSql } from '../support/two-processes.js';

/**
 * A process for a test to pause: it waits for its turn to lead, says so, and when told to it moves the pointer to a run of its name. Its
 * clock is off by so many milliseconds.
 */
const [url = '', name = '', ttlMs = '', clockOffMs = '0'] = process.argv.slice(2);
const rightNow = Date.now;
Date.now = () => rightNow() + Number(clockOffMs);

const sql = await openTestSql(url);
const request = { name: 'leader', holder: name, ttlMs: Number(ttlMs) };
process.send?.('waits');
const lease = await Lease.wait(sql, request, new AbortController().signal);
if (lease === null) throw new Error('nobody ended the waiting');
lease.lost.addEventListener('abort', () => process.send?.('lost'));
process.on('message', () => void publish(lease));
process.send?.('leads');

async function publish(held: Lease): Promise<void> {
  const moved = { runId: name, movedAt: systemClock() };
  try {
    await transaction(sql, async (database) => {
      await held.assertHeld(database);
      await database
        .insert(pointers)
        .values({ name: 'current', ...moved })
        .onConflictDoUpdate({ target: pointers.name, set: moved });
    });
    process.send?.('published');
  } catch (error) {
    const known = knownError(error);
    process.send?.(known instanceof HeadgateError ? known.code : String(error));
  }
}
