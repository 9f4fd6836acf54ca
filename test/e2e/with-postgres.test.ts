import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WORKED_CASE_AS_OF } from '../../fixtures/worked-case.js';
import type { Run } from '../../transforms/run-store.js';
import { openCompany, type TestCompany } from '../support/company.js';
import { expectEqualMarts, exportMarts } from '../support/marts-export.js';
import { hasPostgres, startPostgres, type Postgres } from '../support/postgres.js';
import { openWorkedCompany } from '../support/worked-company.js';

describe.runIf(hasPostgres())('with DATABASE_URL alone', () => {
  let postgres: Postgres;
  let embedded: TestCompany;
  let served: TestCompany;
  let run: Run;
  let url: string;

  beforeAll(async () => {
    postgres = await startPostgres();
    url = await postgres.createDatabase();
    embedded = await openWorkedCompany();
    served = await openWorkedCompany({ DATABASE_URL: url });
    run = await served.transform(WORKED_CASE_AS_OF);
  });
  afterAll(async () => {
    await embedded.remove();
    await served.remove();
    await postgres.stop();
  });

  test('the same events give the same marts, byte for byte', { timeout: 180_000 }, async () => {
    const expected = await exportMarts(embedded, await embedded.transform(WORKED_CASE_AS_OF));
    expectEqualMarts(await exportMarts(served, run), expected);
  });

  test('keys, catalog and runs are on the server: opened again, everything is there', async () => {
    const { secret } = await served.runtime.services.keys.create(
      { name: 'a founder', role: 'founder' },
      'test',
      served.runtime.services.clock(),
    );
    await served.close();
    served = await openCompany(served.directory, { DATABASE_URL: url });
    const { keys, catalogs, clock, runs } = served.runtime.services;
    expect(await keys.authenticate(secret, clock())).toMatchObject({ ok: true });
    expect(await catalogs.published()).toHaveLength(1);
    expect(await runs.choose({})).toMatchObject({ runId: run.runId });
  });

  test('it survives a power cut, which the embedded store does not', () => {
    expect(served.runtime.services.sql.survivesPowerCut).toBe(true);
    expect(embedded.runtime.services.sql.survivesPowerCut).toBe(false);
  });
});
