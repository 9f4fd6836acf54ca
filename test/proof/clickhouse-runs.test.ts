import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { RefusedError } from '../../core/errors.js';
import type { RawEvent } from '../../core/raw-event.js';
import { parseInstant } from '../../core/time.js';
import { WORKED_CASE_AS_OF } from '../../fixtures/worked-case.js';
import { listConflicts } from '../../ingest/conflicts.js';
import type { RunReader } from '../../platform/warehouse/warehouse.js';
import { beginRun, findRun, type Run } from '../../transforms/run-store.js';
import { hasClickHouse, startClickHouse, type ClickHouse } from '../support/clickhouse.js';
import { openClickHouseCompany, TopicFeed, type ClickHouseCompany } from '../support/clickhouse-company.js';
import type { TestCompany } from '../support/company.js';
import { openWorkedCompany } from '../support/worked-company.js';

const MAIN = 'faults';
const Name = z.object({ name: z.string() });
const Place = z.object({ log_partition: z.number(), data: z.string() });
const Close = z.object({ close: z.bigint().nullable() });
const EARLY = '2026-03-01T00:00:00Z';

/** Seen twice, with other content, in two partitions: the higher one first. */
const session = (userId: string): RawEvent => ({
  stream: 'installs',
  source: '/app',
  id: 'seen-twice',
  type: 'session.active',
  subject: 'org_ada',
  timeMicros: parseInstant('2026-04-20T00:00:00Z'),
  data: JSON.stringify({ userId }),
  extra: null,
});

/*
 * One company through what can happen to runs on ClickHouse. Each test takes the company as the one before left it.
 */
describe.runIf(hasClickHouse())('runs on ClickHouse', { timeout: 300_000 }, () => {
  let clickHouse: ClickHouse;
  let events: TestCompany;
  let company: ClickHouseCompany;
  let good: Run;
  let isLeader = true;
  let heldReader: RunReader;

  beforeAll(async () => {
    clickHouse = await startClickHouse();
    events = await openWorkedCompany();
    const { catalogs, warehouse } = events.runtime.services;
    company = await openClickHouseCompany(clickHouse, {
      catalogs,
      database: MAIN,
      keepRuns: 1,
      assertLeader: () =>
        isLeader
          ? Promise.resolve()
          : Promise.reject(new RefusedError('conflict', 'another process builds runs')),
    });
    await new TopicFeed(warehouse, company.warehouse).deliver();
    await deliver(2, 1_000n, session('usr_first'));
  });
  afterAll(async () => {
    await company.stop();
    await events.remove();
    await clickHouse.stop();
  });

  const deliver = (topicPartition: number, offset: bigint, event: RawEvent): Promise<void> =>
    company.warehouse.appendFromLog({
      stream: event.stream,
      topicPartition,
      events: [{ offset, event, recordedAtMicros: event.timeMicros }],
      lastOffset: offset,
    });

  async function databases(): Promise<string[]> {
    const sql = `select name from system.databases where startsWith(name, '${MAIN}') order by name`;
    return (await company.warehouse.query(sql, {}, Name)).map(({ name }) => name);
  }
  const databasesOf = ({ runId }: Run): string[] => [`${MAIN}_facts_${runId}`, `${MAIN}_${runId}`];

  async function closeOf(relation: string): Promise<bigint | null | undefined> {
    const sql = `select sum(close_minor) as close from ${relation}.mrr_months where dimension = 'all'`;
    const [row] = await company.warehouse.query(sql, {}, Close);
    return row?.close;
  }

  /** Where the session that counts was in the log, and what it says. */
  function standingSession({ runId }: Run) {
    return company.runs.withRun({ runId }, async ({ reader }) =>
      reader.query(
        `select log_partition, data from ${reader.facts('installs')} where event_id = 'seen-twice'`,
        {},
        Place,
      ),
    );
  }

  async function expectLastGoodRun(): Promise<void> {
    expect((await company.runs.choose({})).runId).toBe(good.runId);
    expect(await closeOf(`${MAIN}_marts`)).toBe(await closeOf(good.location));
  }

  test('a run is in databases of its own, nothing is left of its build, and the views for BI tools read it', async () => {
    good = await company.transform(WORKED_CASE_AS_OF);
    expect(await databases()).toEqual([MAIN, ...databasesOf(good), `${MAIN}_marts`].sort());
    expect(await closeOf(good.location)).toBeGreaterThan(0n);
    await expectLastGoodRun();
    heldReader = await company.warehouse.openRun(good);
  });

  test('a run that is stopped ends, leaves nothing, and the last good one answers', async () => {
    const stop = new AbortController();
    const stopped = company.transform(WORKED_CASE_AS_OF, {
      signal: stop.signal,
      onProgress: (message) => {
        if (message.includes('10 parts done')) stop.abort();
      },
    });
    await expect(stopped).rejects.toMatchObject({ code: 'shutting_down', retryable: true });
    expect(await databases()).toEqual([MAIN, ...databasesOf(good), `${MAIN}_marts`].sort());
    await expectLastGoodRun();
  });

  test('who lost the lead meanwhile publishes nothing', async () => {
    isLeader = false;
    await expect(company.transform(WORKED_CASE_AS_OF)).rejects.toMatchObject({ code: 'conflict' });
    isLeader = true;
    await expectLastGoodRun();
  });

  test('what was left behind goes with the next run: nothing of others, nothing that somebody still reads', async () => {
    const instance = readFileSync(join(company.directory, 'instance.txt'), 'utf8');
    const killed = 'run_killed0000000000';
    await beginRun(company.sql, { ...good, runId: killed, location: `${MAIN}_${killed}` });
    const others = [`${MAIN}_build_0badc0de`, `${MAIN}_run_ofanothercompany`];
    const mine = [`${MAIN}_build_${instance}`, `${MAIN}_build_${instance}_facts`, `${MAIN}_${killed}`];
    for (const name of [...others, ...mine]) {
      await clickHouse.client.command({ query: `create database ${name}` });
    }
    await deliver(0, 1_000n, session('usr_later'));
    // Rows of an insert that was not noted as progress: their consumer died, and whoever comes next delivers them again.
    await clickHouse.client.command({
      query: `insert into ${MAIN}.raw_billing (log_partition, log_offset, recorded_at, source, id, type, subject, time, data)
        select log_partition, log_offset + 100000, recorded_at, source, concat(id, '-again'), type, subject, time, data from ${MAIN}.raw_billing`,
    });

    const before = good;
    good = await company.transform(WORKED_CASE_AS_OF);
    expect(good.isIncremental).toBe(true);
    expect(good.eventCounts).toEqual(before.eventCounts);
    const expected = [MAIN, ...databasesOf(before), ...databasesOf(good), `${MAIN}_marts`, ...others];
    expect(await databases()).toEqual(expected.sort());
    expect((await findRun(company.sql, killed))?.status).toBe('failed');
    // One run is kept, but this one was held when it went.
    expect((await findRun(company.sql, before.runId))?.status).toBe('dropped');
    const sql = `select sum(close_minor) as close from ${heldReader.relation}.mrr_months where dimension = 'all'`;
    expect(await heldReader.query(sql, {}, Close)).toEqual([{ close: await closeOf(good.location) }]);
    await expectLastGoodRun();
  });

  test('what stood first goes on standing, though what came later sorts before it', async () => {
    const first = [{ log_partition: 1002, data: '{"userId":"usr_first"}' }];
    expect(await standingSession(good)).toEqual(first);
    const { conflicts } = await listConflicts(company.sql, { limit: 100 });
    expect(conflicts.filter(({ eventId }) => eventId === 'seen-twice')).toMatchObject([
      { firstPartition: 1002, otherPartition: 1000, status: 'open' },
    ]);
    const before = good;
    good = await company.transform(WORKED_CASE_AS_OF, { fullRefresh: true });
    expect(await standingSession(good)).toEqual(first);
    // And the run that was let go before is gone now.
    expect((await databases()).filter((name) => name.includes('_run_0'))).toEqual(
      [...databasesOf(before), ...databasesOf(good)].sort(),
    );
  });

  test('a run of the past moves neither pointer nor views', async () => {
    const past = await company.transform(EARLY);
    expect(past).toMatchObject({ isHistorical: true, isIncremental: false });
    expect(await closeOf(past.location)).not.toBe(await closeOf(good.location));
    await expectLastGoodRun();
  });
});
