import { afterAll, beforeAll, expect, test } from 'vitest';
import { RefusedError } from '../core/errors.js';
import { openPgliteSql } from '../platform/sql/pglite-sql.js';
import type { Sql } from '../platform/sql/sql.js';
import { RunAccess } from './run-access.js';
import { beginRun, failRun, findRun, publishRun } from './run-store.js';

let sql: Sql;
beforeAll(async () => {
  sql = await openPgliteSql('memory://');
  await sql.migrate();
});
afterAll(() => sql.close());

const NO_MARTS = { openRun: () => Promise.reject(new Error('no marts here')) };
const PUBLICATION = { finishedAt: 2_000_000n, eventCounts: {}, timings: {} };

async function begin(runId: string): Promise<void> {
  await beginRun(sql, {
    runId,
    asOf: 1_000_000n,
    startedAt: 1_000_000n,
    watermark: { executions: [{ partition: 1003, offset: 7n }], installs: [], billing: [], crm: [] },
    catalogVersion: null,
    codeRevision: 'test',
    isIncremental: false,
    isHistorical: false,
    location: runId,
  });
}

async function publish(runId: string): Promise<void> {
  await begin(runId);
  await publishRun(sql, runId, PUBLICATION);
}

test('a pointer that another process moved is noticed when what is known of it is old', async () => {
  let now = 0n;
  const runs = new RunAccess(sql, NO_MARTS, { clock: () => now, goodForMs: 500 });
  await publish('run_one');
  expect((await runs.choose({})).runId).toBe('run_one');
  await publish('run_two');
  now += 500_000n;
  expect((await runs.choose({})).runId).toBe('run_one');
  now += 1n;
  expect((await runs.choose({})).runId).toBe('run_two');
  await publish('run_three');
  now = 0n;
  expect((await runs.choose({})).runId).toBe('run_three');
});

test('a pointer that moves in this process alone is asked for once, and again when it moved', async () => {
  const runs = new RunAccess(sql, NO_MARTS);
  await publish('run_four');
  expect((await runs.choose({})).runId).toBe('run_four');
  await publish('run_five');
  expect((await runs.choose({})).runId).toBe('run_four');
  runs.pointerMoved();
  expect((await runs.choose({})).runId).toBe('run_five');
});

test('who lost the lead publishes nothing, and the pointer stays', async () => {
  await publish('run_six');
  await begin('run_late');
  const lost = new RefusedError('conflict', 'another process builds runs now');
  await expect(publishRun(sql, 'run_late', PUBLICATION, () => Promise.reject(lost))).rejects.toBe(lost);
  expect((await findRun(sql, 'run_late'))?.status).toBe('building');
  expect((await new RunAccess(sql, NO_MARTS).choose({})).runId).toBe('run_six');
});

test('a build that another process closed is not published after all', async () => {
  await begin('run_closed');
  await failRun(sql, 'run_closed', 'the process that built it ended', 3_000_000n);
  await expect(publishRun(sql, 'run_closed', PUBLICATION)).rejects.toMatchObject({ code: 'conflict' });
  expect((await findRun(sql, 'run_closed'))?.status).toBe('failed');
});
