import { sql as sqlText } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NOW, openApiTestBed, type ApiTestBed } from '../../test/api-test-bed.js';
import { engineChecks, StatusAnswer } from './engine-checks.js';

let bed: ApiTestBed;
beforeAll(async () => {
  bed = await openApiTestBed();
  for (const target of ['bill_1', 'bill_2', 'bill_3']) {
    const record = { actor: 'key_1', action: 'bill.finalized', target, details: { totalMinor: '500' } };
    await bed.runtime.services.audit.append(record, NOW);
  }
});
afterAll(() => bed.close());

async function auditCheck() {
  const status = (await bed.call({ path: '/v1/status' })).as(StatusAnswer);
  return engineChecks(status, 0).find(({ part }) => part === 'audit log');
}

test('doctor says that the chain of the audit log is whole, and how long it is', async () => {
  expect(await auditCheck()).toMatchObject({ state: 'well', says: '3 entries, the chain is whole' });
});

test('doctor says which entry somebody changed by hand, and what to do', async () => {
  const { database } = bed.runtime.services.sql;
  await database.execute(sqlText`alter table audit_entries disable trigger all`);
  await database.execute(
    sqlText`update audit_entries set details = '{"totalMinor":"50"}' where sequence = 2`,
  );
  expect(await auditCheck()).toMatchObject({
    state: 'broken',
    says: 'entry 2: it was changed after it was written',
    advice: 'somebody changed the store by hand: compare it with a backup',
  });
});
