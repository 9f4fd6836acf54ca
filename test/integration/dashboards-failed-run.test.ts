import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PageData } from '../../api/dashboards/page-data.js';
import { beginRun, failRun } from '../../transforms/run-store.js';
import { NOW, openApiTestBed, type ApiTestBed } from '../api-test-bed.js';
import { publishHandMadeRun } from '../hand-made-run.js';

/* Pages go on with the run before one that failed, and say so. */
let bed: ApiTestBed;
let site: string;
beforeAll(async () => {
  bed = await openApiTestBed();
  site = mkdtempSync(join(tmpdir(), 'headgate-site-'));
  writeFileSync(join(site, 'index.html'), '');
  await publishHandMadeRun(bed.runtime, { asOf: NOW, rows: {} });
});
afterAll(async () => {
  await bed.close();
  rmSync(site, { recursive: true });
});

test('a run that was not published is told in one line, once it has failed', async () => {
  const { services } = bed.runtime;
  const data = new PageData({ ...services, dashboards: { ...services.dashboards, siteDirectory: site } }, {});
  const run = await services.runs.choose({});
  const { failed: before, ...told } = await data.manifest(run, ['metrics:read']);
  expect(before).toBeNull();
  expect(told).toMatchObject({ run: run.runId, asOf: '2026-06-01T12:00:00Z' });

  const { location, asOf, watermark, catalogVersion, codeRevision } = run;
  await beginRun(services.sql, {
    ...{ runId: 'run_zz_later', location, asOf, watermark, catalogVersion, codeRevision },
    ...{ isIncremental: false, isHistorical: false, startedAt: NOW },
  });
  expect((await data.manifest(run, ['metrics:read'])).failed).toBeNull();
  await failRun(services.sql, 'run_zz_later', '2 tie-outs do not hold\nand details', NOW);
  expect((await data.manifest(run, ['metrics:read'])).failed).toEqual({
    at: '2026-06-01T12:00:00Z',
    why: '2 tie-outs do not hold',
  });
});
