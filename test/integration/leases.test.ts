import { expect, test } from 'vitest';
import { leasedTransformer } from '../../cli/leased-transformer.js';
import { leasedLeadership } from '../../cli/scheduler-lease.js';
import { SingleWriter } from '../../cli/single-writer.js';
import type { EventLog } from '../../platform/log/event-log.js';
import { leases } from '../../platform/sql/schema.js';
import { transaction, type Sql } from '../../platform/sql/sql.js';
import type { AssertLeader, Run } from '../../transforms/run-store.js';
import type { TransformRequest } from '../../transforms/runner/transform.js';
import { onEveryStore } from '../support/two-processes.js';

/** A transformer whose runs take as long as the test says. */
function pausable(sql: Sql, holder: string) {
  let assertLeader: AssertLeader = () => Promise.reject(new Error('the fence was not given'));
  let finish: (run: Run) => void = () => undefined;
  const requests: TransformRequest[] = [];
  const transformer = leasedTransformer(sql, holder, (fence) => {
    assertLeader = fence;
    return {
      transform: (request) => {
        requests.push(request);
        return new Promise((resolve) => {
          finish = resolve;
        });
      },
      stop: () => Promise.resolve(),
    };
  });
  return {
    transformer,
    requests,
    finish: () => {
      finish({ runId: 'run_1' } as Run);
    },
    publish: () => transaction(sql, (database) => assertLeader(database)),
  };
}

const NOTHING = { count: 0, first: null, last: null };

onEveryStore((processes) => {
  test('of two transforms at once one runs, and the other names who has the turn', async () => {
    const first = pausable(processes().one, 'host-a process 1');
    const second = pausable(processes().other, 'host-b process 2');
    const running = first.transformer.transform({});
    await expect.poll(() => first.requests).toHaveLength(1);
    await expect(second.transformer.transform({})).rejects.toMatchObject({
      code: 'transform_running',
      message: expect.stringContaining('host-a process 1') as string,
    });
    await first.publish();
    first.finish();
    await running;
    const next = second.transformer.transform({});
    await expect.poll(() => second.requests).toHaveLength(1);
    second.finish();
    await next;
  });

  test('who lost its turn while it was paused cannot publish, and nobody can without one', async () => {
    const paused = pausable(processes().one, 'paused');
    const running = paused.transformer.transform({});
    await expect.poll(() => paused.requests).toHaveLength(1);
    await processes().other.database.delete(leases);
    await expect(paused.publish()).rejects.toMatchObject({ code: 'lease_lost' });
    expect(paused.requests[0]?.signal?.aborted).toBe(true);
    paused.finish();
    await running;
    await expect(paused.publish()).rejects.toMatchObject({ code: 'transform_running' });
  });

  test('without a log between, the first to append writes alone until it ends', async () => {
    const begun: string[] = [];
    const writerOf = (sql: Sql, name: string) =>
      new SingleWriter(sql, name, () => {
        begun.push(name);
      });
    const log: EventLog = { append: () => Promise.resolve(NOTHING), close: () => Promise.resolve() };
    const [one, other] = [writerOf(processes().one, 'one'), writerOf(processes().other, 'other')];
    await Promise.all([1, 2, 3].map(() => one.log(log).append([], { recordedAtMicros: 0n })));
    await expect(other.log(log).append([], { recordedAtMicros: 0n })).rejects.toMatchObject({
      code: 'log_unavailable',
      retryable: true,
      message: expect.stringMatching(/one writes.*KAFKA_BROKERS/) as string,
    });
    await one.release();
    await other.log(log).append([], { recordedAtMicros: 0n });
    expect(begun).toEqual(['one', 'other']);
    await other.release();
  });

  test('scheduled work is done by one of two, and by the other when the first has ended', async () => {
    const done: string[] = [];
    const work = (name: string) => () => {
      done.push(name);
      return Promise.resolve();
    };
    const first = leasedLeadership(processes().one, 'first');
    await expect
      .poll(async () => {
        await first.whileLeading(work('first'));
        return done.length;
      })
      .toBeGreaterThan(0);
    const second = leasedLeadership(processes().other, 'second');
    await second.whileLeading(work('second'));
    expect(done).not.toContain('second');
    await first.stop();
    await second.stop();
    const third = leasedLeadership(processes().other, 'third');
    await expect
      .poll(async () => {
        await third.whileLeading(work('third'));
        return done;
      })
      .toContain('third');
    await third.stop();
  });
});
