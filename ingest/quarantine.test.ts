import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventExamples } from '../core/events/examples.js';
import { AuditLog } from '../platform/audit-log.js';
import { NOW, openIngestTestBed, type IngestTestBed } from '../test/ingest-services.js';
import { ingestBody } from './pipeline.js';
import {
  discardQuarantined,
  fixQuarantined,
  replayQuarantined,
  type QuarantineServices,
} from './quarantine.js';

let bed: IngestTestBed;
let services: QuarantineServices;
beforeAll(async () => {
  bed = await openIngestTestBed();
  services = { ...bed.services, audit: new AuditLog(bed.sql) };
});
afterAll(() => bed.close());

const session = eventExamples['session.active'];

async function quarantineOne(body: string, now = NOW): Promise<string> {
  const [result] = (await ingestBody(Buffer.from(body), 'json', services, now)).results;
  if (result?.status !== 'quarantined') throw new Error('expected a refusal');
  return result.quarantineId;
}

const idsInLog = async (): Promise<string[]> => (await bed.rows()).map((row) => row.id);

test('a fixed event is stored once, and its case is closed with who did it', async () => {
  const id = await quarantineOne('{"id":"fix-me"}');
  const replacement = Buffer.from(JSON.stringify({ ...session, id: 'fix-me' }));
  await fixQuarantined(id, replacement, 'key_1', services, NOW + 5n);
  expect((await idsInLog()).filter((logged) => logged === 'fix-me')).toHaveLength(1);
  expect(await services.quarantine.get(id)).toMatchObject({
    status: 'fixed',
    resolvedBy: 'key_1',
    resolvedAt: NOW + 5n,
  });
  await expect(fixQuarantined(id, replacement, 'key_1', services, NOW)).rejects.toMatchObject({
    code: 'conflict',
  });
});

test('a replacement that does not pass either changes nothing and says why', async () => {
  const id = await quarantineOne('{"id":"still-bad"}');
  const attempt = fixQuarantined(id, Buffer.from('{"id":"no"}'), 'key_1', services, NOW);
  await expect(attempt).rejects.toMatchObject({ code: 'invalid_event', status: 422 });
  expect((await services.quarantine.get(id)).status).toBe('open');
});

test('discarding needs a reason and leaves one on the record', async () => {
  const id = await quarantineOne('{"id":"drop-me"}');
  const discard = (reason: string) => discardQuarantined(id, { reason, actor: 'cli:ana' }, services, NOW);
  await expect(discard(' ')).rejects.toMatchObject({ code: 'invalid_argument' });
  await discard('test traffic of the vendor');
  expect((await services.quarantine.get(id)).status).toBe('discarded');
  const entries = await services.audit.list();
  expect(entries.at(-1)).toMatchObject({ action: 'quarantine.discard', target: id, actor: 'cli:ana' });
  expect(entries.at(-1)?.details).toContain('test traffic of the vendor');
});

test('replay takes in what passes by now and leaves the rest open', async () => {
  const future = JSON.stringify({ ...session, id: 'too-early', time: '2026-06-02T00:00:00Z' });
  const later = JSON.stringify({ ...session, id: 'much-too-early', time: '2026-08-01T00:00:00Z' });
  const ids = [await quarantineOne(future), await quarantineOne(later)];
  const tomorrow = NOW + 86_400_000_000n;
  const report = await replayQuarantined({ reason: 'time_in_future' }, 'key_1', services, tomorrow);
  expect(report).toEqual({ replayed: 1, stillOpen: 1 });
  const statuses = await Promise.all(ids.map(async (id) => (await services.quarantine.get(id)).status));
  expect(statuses).toEqual(['fixed', 'open']);
  expect((await idsInLog()).filter((id) => id === 'too-early')).toHaveLength(1);
});

test('pages by key list every event once, also while new ones come', async () => {
  for (let index = 0; index < 7; index += 1) await quarantineOne(`{"paged":${index}}`, NOW + 100n);
  const listed: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await services.quarantine.list({ status: 'open' }, { cursor, limit: 3 });
    listed.push(...page.events.map(({ quarantineId }) => quarantineId));
    await quarantineOne(`{"came":${listed.length}}`, NOW + 200n);
    cursor = listed.length < 30 ? (page.nextCursor ?? undefined) : undefined;
  } while (cursor !== undefined);
  expect(new Set(listed).size).toBe(listed.length);
  const bad = services.quarantine.list({}, { cursor: 'nonsense', limit: 3 });
  await expect(bad).rejects.toMatchObject({ code: 'invalid_cursor' });
});

test('retention takes what was not seen again, with its bytes', async () => {
  const id = await quarantineOne('{"id":"old"}', NOW - 1_000n);
  expect(await services.quarantine.forget(NOW)).toBe(1);
  await expect(services.quarantine.get(id)).rejects.toMatchObject({ code: 'quarantine_not_found' });
});
