import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventExamples } from '../core/events/examples.js';
import { AuditLog } from '../platform/audit-log.js';
import { NOW, openIngestTestBed, type IngestTestBed } from '../test/ingest-services.js';
import { decideConflict, listConflicts, reportConflicts, standingArrivals } from './conflicts.js';
import { ingestBody } from './pipeline.js';

let bed: IngestTestBed;
let audit: AuditLog;
beforeAll(async () => {
  bed = await openIngestTestBed();
  audit = new AuditLog(bed.sql);
});
afterAll(() => bed.close());

const usage = eventExamples['usage.recorded'];

async function send(id: string, data: string): Promise<bigint> {
  const text = JSON.stringify({ ...usage, id, data: 0 }).replace('"data":0', `"data":${data}`);
  await ingestBody(Buffer.from(text), 'json', bed.services, NOW);
  return (await bed.rows()).at(-1)?.log_offset ?? -1n;
}

async function report(
  from: Awaited<ReturnType<typeof bed.warehouse.positions>> | null = null,
): Promise<number> {
  return reportConflicts(bed, { from, to: await bed.warehouse.positions() }, NOW);
}

test('spaces, key order and 1.0 for 1 make no conflict; another value does, with both positions', async () => {
  await send('same', '{"meter":"gb","quantity":1}');
  await send('same', '{ "quantity": 1.0, "meter": "gb" }');
  const first = await send('other', '{"meter":"gb","quantity":1}');
  const second = await send('other', '{"meter":"gb","quantity":"1"}');
  await send('other', '{"quantity":"1","meter":"gb"}');
  expect(await report()).toBe(1);
  const { conflicts } = await listConflicts(bed.sql, { limit: 10 });
  expect(conflicts).toHaveLength(1);
  expect(conflicts[0]).toMatchObject({
    stream: 'executions',
    eventId: 'other',
    firstOffset: first,
    otherOffset: second,
    status: 'open',
  });
  expect(await standingArrivals(bed.sql)).toEqual([expect.objectContaining({ logOffset: first })]);
});

test('reporting again, whole or from a position, changes nothing and finds only what is new', async () => {
  expect(await report()).toBe(0);
  const position = await bed.warehouse.positions();
  await send('other', '{"meter":"gb","quantity":"1"}');
  expect(await report(position)).toBe(0);
  await send('other', '{"meter":"gb","quantity":3}');
  expect(await report(position)).toBe(1);
  expect((await listConflicts(bed.sql, { limit: 10 })).conflicts).toHaveLength(2);
});

test('a decision is kept and audited; choosing another arrival takes back the earlier choice', async () => {
  const { conflicts } = await listConflicts(bed.sql, { limit: 10 });
  const [one, two] = [...conflicts].sort((a, b) => Number(a.otherOffset - b.otherOffset));
  if (!one || !two) throw new Error('expected two conflicts');
  const decide = (conflictId: string, decision: 'first' | 'other') =>
    decideConflict({ sql: bed.sql, audit }, conflictId, { decision, actor: 'key_9', reason: 'asked' }, NOW);
  const standing = async (): Promise<(bigint | undefined)[]> =>
    (await standingArrivals(bed.sql)).map(({ logOffset }) => logOffset);

  await decide(one.conflictId, 'other');
  expect(await standing()).toEqual([one.otherOffset]);
  await decide(two.conflictId, 'other');
  expect(await standing()).toEqual([two.otherOffset]);
  await report();
  expect(await standing()).toEqual([two.otherOffset]);
  await decide(two.conflictId, 'first');
  expect(await standing()).toEqual([one.firstOffset]);
  const entries = await audit.list();
  expect(entries.filter(({ action }) => action === 'conflict.decide')).toHaveLength(3);
});
