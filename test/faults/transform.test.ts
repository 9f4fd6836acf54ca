import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { WORKED_CASE_AS_OF, WORKED_CASE_LINES } from '../../fixtures/worked-case.js';
import { parseInstant } from '../../core/time.js';
import { metricNamed } from '../../transforms/metric-registry.js';
import { metricValues } from '../../transforms/metric-values.js';
import type { Run } from '../../transforms/run-store.js';
import { openCompany, type TestCompany } from '../support/company.js';
import { expectEqualMarts, exportMarts } from '../support/marts-export.js';
import { canLimitFileSize, limitFileSize } from './file-size-limit.js';
import { embeddedPartsOf } from '../support/embedded.js';

/*
 * One company through everything that can go wrong in a run. Each test takes the company as the one before left it: what a fault leaves
 * behind is what the next run meets.
 */
let company: TestCompany;
let good: Run;
beforeAll(async () => {
  company = await openCompany();
});
afterAll(() => company.remove());

const AS_OF = parseInstant(WORKED_CASE_AS_OF);

/** MRR of April in dollars, as any reader gets it. */
async function currentMrr(): Promise<{ runId: string; value: bigint | null | undefined }> {
  return company.runtime.services.runs.withRun({}, async ({ run, reader }) => {
    const question = { from: '2026-04-01', to: '2026-05-01', currency: 'USD', limit: 1 };
    const [value] = await metricValues(metricNamed('mrr'), question, reader);
    return { runId: run.runId, value: value?.value };
  });
}

let goodMrr: bigint | null | undefined;
async function expectLastGoodMarts(): Promise<void> {
  expect(await currentMrr()).toEqual({ runId: good.runId, value: goodMrr });
}

function dbtProcess(): number {
  const { dependentFile } = company.runtime.directory;
  return z.object({ pid: z.number() }).parse(JSON.parse(readFileSync(dependentFile, 'utf8'))).pid;
}

/** More to export, in a month of its own. */
function newSession(id: string): string {
  const event = { specversion: '1.0', id, source: '/app', type: 'session.active', subject: 'org_ada' };
  return JSON.stringify({ ...event, time: '2026-04-20T00:00:00Z', data: { userId: 'usr_ada' } });
}

test('before the first run a reader is told the command that makes one', async () => {
  await expect(currentMrr()).rejects.toMatchObject({
    code: 'no_run',
    details: { command: 'headgate transform' },
  });
});

test('a run under way keeps the lake’s files where they are', async () => {
  const { services } = company.runtime;
  const { lake } = embeddedPartsOf(company.runtime);
  await company.ingest(WORKED_CASE_LINES);
  const merged: Promise<number>[] = [];
  good = await services.transform({
    asOf: AS_OF,
    onProgress: (message) => {
      if (message.includes('10 parts done')) merged.push(lake.compact({ minimumParts: 2 }));
    },
  });
  expect(await Promise.all(merged)).toEqual([0]);
  goodMrr = (await currentMrr()).value;
  expect(goodMrr).toBeGreaterThan(0n);
});

test('every stream has facts to read, also one without an event', async () => {
  await company.runtime.services.runs.withRun({}, ({ reader }) => {
    for (const stream of ['executions', 'installs', 'billing', 'crm'] as const) {
      expect(reader.facts(stream)).toContain('.parquet');
    }
    return Promise.resolve();
  });
});

test('a build that fails names the part, and the last good marts answer', async () => {
  const month = join(company.runtime.directory.lakeDirectory, 'billing', 'month=2026-01');
  const junk = join(month, '9000-9001.parquet');
  mkdirSync(month, { recursive: true });
  writeFileSync(junk, 'no parquet');
  await expect(company.transform(WORKED_CASE_AS_OF, { fullRefresh: true })).rejects.toMatchObject({
    code: 'transform_failed',
    message: expect.stringContaining('model.headgate.fct_') as string,
  });
  rmSync(junk);
  await expectLastGoodMarts();
});

test('a run that is stopped ends at once, and the last good marts answer', async () => {
  const stop = new AbortController();
  const stopped = company.runtime.services.transform({
    asOf: AS_OF,
    signal: stop.signal,
    onProgress: (message) => {
      if (message.startsWith('Building')) stop.abort();
    },
  });
  await expect(stopped).rejects.toMatchObject({ code: 'shutting_down', retryable: true });
  await expectLastGoodMarts();
});

describe.runIf(canLimitFileSize)('on a full disk', () => {
  test('an export fails by name, and the last good marts answer', async () => {
    const { lake } = embeddedPartsOf(company.runtime);
    await company.ingest([newSession('s-1')]);
    const exportLake = lake.export.bind(lake);
    lake.export = async (watermark) => {
      const makeRoom = limitFileSize(1);
      try {
        return await exportLake(watermark);
      } finally {
        makeRoom();
      }
    };
    try {
      await expect(company.transform(WORKED_CASE_AS_OF)).rejects.toMatchObject({ code: 'disk_full' });
    } finally {
      lake.export = exportLake;
    }
    await expectLastGoodMarts();
  });

  test('dbt fails by name, and the last good marts answer', async () => {
    const full = company.runtime.services.transform({
      asOf: AS_OF,
      // dbt alone: PGlite, which writes in this process, would not come back from a limit on its log.
      onProgress: (message) => {
        if (message.endsWith('10 parts done')) limitFileSize(1, dbtProcess());
      },
    });
    await expect(full).rejects.toMatchObject({ code: 'disk_full' });
    await expectLastGoodMarts();
  });
});

test(
  'the pointer that cannot be moved stays, and the run after takes up what the failed one had built',
  { timeout: 180_000 },
  async () => {
    const { database } = company.runtime.services.sql;
    const transaction = database.transaction.bind(database);
    const failed = company.runtime.services.transform({
      asOf: AS_OF,
      onProgress: (message) => {
        if (!message.startsWith('Publishing')) return;
        // As PGlite was seen to fail on a full tmpfs; a file-size limit would stop it for good.
        database.transaction = () =>
          Promise.reject(new Error('could not extend file "base/5/16404": No space left on device'));
      },
    });
    await expect(failed).rejects.toMatchObject({ code: 'disk_full' });
    database.transaction = transaction;
    await expectLastGoodMarts();

    good = await company.transform(WORKED_CASE_AS_OF);
    expect(good.isIncremental).toBe(true);
    const anew = await company.transform(WORKED_CASE_AS_OF, { fullRefresh: true });
    expectEqualMarts(await exportMarts(company, good), await exportMarts(company, anew));
    good = anew;
    await expectLastGoodMarts();
  },
);

test('marts and facts that somebody removed or damaged are said to be gone, and made anew from the log', async () => {
  const before = await exportMarts(company, good);
  const { directory } = company.runtime;
  await company.close();
  rmSync(directory.runDirectory(good.runId), { recursive: true });
  writeFileSync(directory.factsFile, 'no database');
  company = await openCompany(directory.root);
  await expect(currentMrr()).rejects.toMatchObject({
    code: 'no_run',
    message: expect.stringContaining('make new ones with: headgate transform') as string,
  });
  good = await company.transform(WORKED_CASE_AS_OF);
  expectEqualMarts(await exportMarts(company, good), before);
});
