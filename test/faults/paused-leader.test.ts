import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Lease } from '../../platform/sql/lease.js';
import { pointers } from '../../platform/sql/schema.js';
import type { Sql } from '../../platform/sql/sql.js';
import { hasPostgres, startPostgres, type Postgres } from '../support/postgres.js';
import { openTestSql } from '../support/two-processes.js';

const TTL_MS = 2_000;
const TWO_MINUTES_MS = 120_000;

/** A process that wants to lead, and what it has said so far. */
class Candidate {
  readonly said: string[] = [];
  private readonly child: ChildProcess;

  constructor(url: string, name: string, clockOffMs: number) {
    const leader = new URL('./leader.paused.ts', import.meta.url);
    this.child = fork(leader, [url, name, String(TTL_MS), String(clockOffMs)], {
      execArgv: ['--import', 'tsx'],
    });
    this.child.on('message', (message) => this.said.push(z.string().parse(message)));
  }

  pause(): void {
    this.child.kill('SIGSTOP');
  }

  wake(): void {
    this.child.kill('SIGCONT');
  }

  publish(): void {
    this.child.send('publish');
  }

  async kill(): Promise<void> {
    if (this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }

  says(word: string): Promise<void> {
    return expect.poll(() => this.said, { timeout: 45_000 }).toContain(word);
  }
}

describe.skipIf(!hasPostgres())('of several processes one leads', () => {
  let postgres: Postgres;
  let url: string;
  let sql: Sql;
  beforeAll(async () => {
    postgres = await startPostgres();
    url = await postgres.createDatabase();
    sql = await openTestSql(url);
  });
  afterAll(async () => {
    await sql.close();
    await postgres.stop();
  });
  const candidates: Candidate[] = [];
  afterEach(async () => {
    for (const candidate of candidates.splice(0)) await candidate.kill();
  });
  const candidate = (name: string, clockOffMs = 0): Candidate => {
    const made = new Candidate(url, name, clockOffMs);
    candidates.push(made);
    return made;
  };
  const currentRun = async (): Promise<string | undefined> =>
    (await sql.database.select().from(pointers))[0]?.runId;

  test.each([
    ['all clocks right', 0, 0],
    ["the first one's clock two minutes ahead", TWO_MINUTES_MS, 0],
    ["the second one's clock two minutes ahead", 0, TWO_MINUTES_MS],
  ])(
    'a leader that was paused cannot publish after it wakes: %s',
    async (_, firstOffMs, secondOffMs) => {
      const first = candidate('run_first', firstOffMs);
      await first.says('leads');
      first.publish();
      await first.says('published');

      const second = candidate('run_second', secondOffMs);
      await second.says('waits');
      // As long as it lives the first leads, whatever the clock of the second says: three signs of life of the first.
      await threeSignsOfLife();
      expect(second.said).toEqual(['waits']);

      first.pause();
      await second.says('leads');
      second.publish();
      await second.says('published');
      first.publish();
      first.wake();
      await first.says('lease_lost');
      expect(first.said).toContain('lost');
      expect(await currentRun()).toBe('run_second');
    },
    120_000,
  );

  test('after kill -9 of the leader the next one leads once its time is up', async () => {
    const first = candidate('run_killed');
    await first.says('leads');
    const second = candidate('run_next');
    await first.kill();
    await second.says('leads');
    expect((await Lease.holderOf(sql, 'leader'))?.holder).toBe('run_next');
  }, 120_000);

  /** The lease's time was moved forward so often. */
  async function threeSignsOfLife(): Promise<void> {
    let last = 0;
    for (let signs = 0; signs < 3; signs += 1) {
      await expect
        .poll(async () => {
          const remaining = (await Lease.holderOf(sql, 'leader'))?.expiresInMs ?? 0;
          const isRenewed = remaining > last;
          last = remaining;
          return isRenewed;
        })
        .toBe(true);
    }
  }
});
