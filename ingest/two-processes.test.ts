import { EventEmitter, once } from 'node:events';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventExamples } from '../core/events/examples.js';
import { AuditLog } from '../platform/audit-log.js';
import type { EventLog } from '../platform/log/event-log.js';
import { conflicts, leases, quarantine } from '../platform/sql/schema.js';
import type { Sql } from '../platform/sql/sql.js';
import { NOW, openIngestTestBed, type IngestTestBed } from '../test/ingest-services.js';
import { onEveryStore } from '../test/support/two-processes.js';
import { decideConflict, standingArrivals } from './conflicts.js';
import { answerOnce } from './idempotency.js';
import { QuarantineStore } from './quarantine-store.js';
import { discardQuarantined, fixQuarantined, type QuarantineServices } from './quarantine.js';

let bed: IngestTestBed;
beforeAll(async () => {
  bed = await openIngestTestBed();
});
afterAll(() => bed.close());

/** A process of its own as far as its tables go; the log is one. */
function servicesOn(sql: Sql, log: EventLog = bed.services.log): QuarantineServices {
  return { ...bed.services, log, quarantine: new QuarantineStore(sql), audit: new AuditLog(sql) };
}

/** Stops at a point until the test lets it go on. */
function gate() {
  const events = new EventEmitter();
  const [reached, opened] = [once(events, 'reached'), once(events, 'opened')];
  return {
    reached,
    async enter(): Promise<void> {
      events.emit('reached');
      await opened;
    },
    open(): void {
      events.emit('opened');
    },
  };
}

async function putOne(sql: Sql, text: string): Promise<string> {
  const problems = [{ path: '', code: 'invalid_json', message: 'no JSON' }] as const;
  const refusal = { raw: Buffer.from(text), sourceName: 'http', sourcePosition: '', problems } as const;
  const [id = ''] = await new QuarantineStore(sql).put([refusal], NOW);
  return id;
}

onEveryStore((processes) => {
  test('of two requests with one key at once, one does the work and the other waits or gets its answer', async () => {
    const { one, other } = processes();
    const request = { scope: 'key_1', key: 'both', body: Buffer.from('x') };
    let calls = 0;
    const work = (): Promise<{ status: number; answer: string }> => {
      calls += 1;
      return Promise.resolve({ status: 202, answer: 'done' });
    };
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        answerOnce(index % 2 === 0 ? one : other, request, work).catch((error: unknown) => error),
      ),
    );
    expect(calls).toBe(1);
    for (const answer of answers) {
      const isDone = expect.objectContaining({ answer: 'done' }) as unknown;
      const isUnderWay = expect.objectContaining({ code: 'conflict' }) as unknown;
      expect([isDone, isUnderWay]).toContainEqual(answer);
    }
    expect(await answerOnce(other, request, work)).toEqual({ status: 202, answer: 'done' });
  });

  test('an event that one process is fixing is not discarded by the other', async () => {
    const { one, other } = processes();
    const id = await putOne(one, '{"id":"contested"');
    const stop = gate();
    const slow: EventLog = {
      append: async (events, options) => {
        await stop.enter();
        return bed.services.log.append(events, options);
      },
      close: () => Promise.resolve(),
    };
    const replacement = Buffer.from(JSON.stringify({ ...eventExamples['session.active'], id: 'contested' }));
    const fixing = fixQuarantined(id, replacement, 'key_1', servicesOn(one, slow), NOW);
    await stop.reached;
    await expect(
      discardQuarantined(id, { reason: 'no', actor: 'key_2' }, servicesOn(other), NOW),
    ).rejects.toMatchObject({ code: 'conflict', details: { retryAfterSeconds: 1 } });
    stop.open();
    await fixing;
    expect(await new QuarantineStore(other).get(id)).toMatchObject({ status: 'fixed', resolvedBy: 'key_1' });
    await expect(
      discardQuarantined(id, { reason: 'no', actor: 'key_2' }, servicesOn(other), NOW),
    ).rejects.toMatchObject({ code: 'conflict', message: `quarantine ${id}: is fixed already` });
  });

  test('a process that was paused while it fixed an event does not close a case that another has closed', async () => {
    const { one, other } = processes();
    const id = await putOne(one, '{"id":"paused"');
    const stop = gate();
    const paused = new QuarantineStore(one).decide(id, 'key_1', async (_, resolve) => {
      await stop.enter();
      await resolve({ status: 'fixed' }, NOW);
    });
    await stop.reached;
    // As if no sign of life had come for longer than others wait.
    await other.database
      .update(leases)
      .set({ expiresAt: 0n })
      .where(eq(leases.name, `quarantine ${id}`));
    await discardQuarantined(id, { reason: 'no', actor: 'key_2' }, servicesOn(other), NOW);
    stop.open();
    await expect(paused).rejects.toMatchObject({ code: 'lease_lost' });
    expect(await new QuarantineStore(one).get(id)).toMatchObject({
      status: 'discarded',
      resolvedBy: 'key_2',
    });
  });

  test('the same bad events sent to both at once are counted, every one', async () => {
    const { one, other } = processes();
    const problems = [{ path: '', code: 'invalid_json', message: 'no JSON' }] as const;
    const refusals = Array.from({ length: 50 }, (_, index) => ({
      raw: Buffer.from(`bad ${index}`),
      sourceName: 'http',
      sourcePosition: '',
      problems,
    }));
    await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        new QuarantineStore(index % 2 === 0 ? one : other).put(
          index % 3 === 0 ? refusals : refusals.toReversed(),
          NOW + BigInt(index),
        ),
      ),
    );
    const rows = await one.database.select().from(quarantine).where(eq(quarantine.reason, 'invalid_json'));
    const counted = rows.filter(({ raw }) => Buffer.from(raw).toString().startsWith('bad '));
    expect(counted.map(({ count, lastSeenAt }) => [count, lastSeenAt])).toEqual(
      counted.map(() => [10, NOW + 9n]),
    );
    expect(counted).toHaveLength(50);
  });

  test('two decisions on one identity at once leave one arrival standing', async () => {
    const { one, other } = processes();
    const conflictOf = (conflictId: string, otherOffset: bigint) => ({
      conflictId,
      stream: 'crm',
      identity: 'i',
      source: 's',
      eventId: 'e',
      firstPartition: 0,
      firstOffset: 1n,
      otherPartition: 0,
      otherOffset,
      status: 'open' as const,
      foundAt: 0n,
    });
    for (let round = 0; round < 10; round += 1) {
      await one.database.delete(conflicts);
      await one.database.insert(conflicts).values([conflictOf('cfl_1', 2n), conflictOf('cfl_2', 3n)]);
      await Promise.all([
        decideConflict({ sql: one, audit: new AuditLog(one) }, 'cfl_1', decision('key_1'), NOW),
        decideConflict({ sql: other, audit: new AuditLog(other) }, 'cfl_2', decision('key_2'), NOW),
      ]);
      const chosen = (await one.database.select().from(conflicts)).filter((row) => row.decision === 'other');
      expect(chosen).toHaveLength(1);
      expect(await standingArrivals(one)).toMatchObject([{ logOffset: chosen[0]?.otherOffset }]);
    }
  });
});

const decision = (actor: string) => ({ decision: 'other' as const, actor, reason: 'r' });
