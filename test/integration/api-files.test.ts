import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { packagePath } from '../../platform/package-path.js';
import { openApiTestBed, type ApiTestBed } from '../api-test-bed.js';
import { writeParquet } from '../support/parquet.js';

let bed: ApiTestBed;
let key: string;
beforeAll(async () => {
  bed = await openApiTestBed();
  key = await bed.keyWith('ingest');
});
afterAll(() => bed.close());

const Taken = z.object({ name: z.string(), accepted: z.int(), quarantined: z.int(), is_known: z.boolean() });

const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) =>
    JSON.stringify({
      specversion: '1.0',
      id: `e${from + index}`,
      source: 'file',
      type: 'session.active',
      subject: 'org_1',
      time: '2026-05-01T10:00:00Z',
      data: { userId: 'u' },
    }),
  ).join('\n');

const upload = (name: string, body: string | Uint8Array<ArrayBuffer>, mapping?: string) =>
  bed.call({
    path: `/v1/files?${new URLSearchParams({ name, ...(mapping === undefined ? {} : { mapping }) }).toString()}`,
    key,
    body,
    type: 'application/octet-stream',
  });

/** Uploads are put down for the engine to read; nothing of one may stay. */
const leftOvers = () =>
  readdirSync(bed.runtime.directory.temporaryDirectory).filter((name) => name.startsWith('upload-'));

test('a file goes in, the same one again changes nothing, and of one that grew only what is new goes in', async () => {
  const whole = `${lines(0, 500)}\nnot json\n`;
  expect((await upload('events.ndjson', whole)).as(Taken)).toEqual({
    name: 'events.ndjson',
    accepted: 500,
    quarantined: 1,
    is_known: false,
  });
  expect((await upload('renamed.ndjson', whole)).as(Taken)).toMatchObject({
    accepted: 0,
    quarantined: 0,
    is_known: true,
  });
  expect((await upload('events.ndjson', `${whole}${lines(500, 700)}\n`)).as(Taken)).toMatchObject({
    accepted: 200,
  });
  expect(leftOvers()).toEqual([]);
});

test('a packed file is unpacked, and one that breaks off says so and keeps what precedes', async () => {
  const packed = new Uint8Array(gzipSync(`${lines(1000, 1300)}\n`));
  expect((await upload('packed.ndjson.gz', packed)).as(Taken).accepted).toBe(300);
  // Bytes that do not compress, so that half the file is half the lines.
  const noise = Array.from({ length: 3000 }, (_, index) => lines(2000 + index, 2001 + index)).join('\n');
  const broken = new Uint8Array(gzipSync(noise, { level: 0 })).slice(0, 300_000);
  const answer = await upload('broken.ndjson.gz', broken);
  expect(answer.problem()).toMatchObject({ code: 'truncated_file', details: { file: 'broken.ndjson.gz' } });
  expect(leftOvers()).toEqual([]);
});

test('a CSV goes in through its mapping', async () => {
  const mapping = readFileSync(packagePath('fixtures', 'mappings', 'subscription-periods.yaml'), 'utf8');
  const csv =
    'subscription_id,customer_id,start_date,end_date,monthly_amount\n1,7,2019-01-01,2019-03-01,19.99\n2,8,2019-02-01,,5\n';
  const taken = (await upload('periods.csv', csv, mapping)).as(Taken);
  // Two starts, and one end: the second row has none.
  expect([taken.accepted, taken.quarantined]).toEqual([3, 0]);
});

test('a Parquet file goes in: rows that are events as they are, a table through its mapping', async () => {
  const directory = bed.runtime.directory.temporaryDirectory;
  const bytesOf = async (select: string): Promise<Uint8Array<ArrayBuffer>> => {
    const path = await writeParquet(join(directory, 'made.parquet'), select);
    const bytes = new Uint8Array(readFileSync(path));
    rmSync(path);
    return bytes;
  };
  const events = await bytesOf(
    `SELECT '1.0' AS specversion, 'p' || i AS id, 'file' AS source, 'session.active' AS type, 'org_1' AS subject,
       TIMESTAMP '2026-05-01 10:00:00' AS time, { userId: 'u' } AS data FROM range(20) AS r(i)`,
  );
  expect((await upload('events.parquet', events)).as(Taken)).toMatchObject({ accepted: 20, is_known: false });
  expect((await upload('again.parquet', events)).as(Taken)).toMatchObject({ accepted: 0, is_known: true });
  const mapping = readFileSync(packagePath('fixtures', 'mappings', 'subscription-periods.yaml'), 'utf8');
  const table = await bytesOf(
    `SELECT 71 AS subscription_id, 7 AS customer_id, DATE '2019-01-01' AS start_date, NULL::DATE AS end_date, 19.99 AS monthly_amount`,
  );
  expect((await upload('periods.parquet', table, mapping)).as(Taken).accepted).toBe(1);
  expect((await upload('periods.parquet', table)).problem()).toMatchObject({ code: 'invalid_file' });
  expect(leftOvers()).toEqual([]);
});

test('a mapping that is none, or that no file needs, is refused', async () => {
  expect((await upload('a.csv', 'x\n1\n', 'mapping: [')).status).toBe(400);
  expect((await upload('a.ndjson', lines(0, 1), 'mapping: x')).problem().code).toBe('invalid_argument');
  expect(leftOvers()).toEqual([]);
});

test('what streams in is never held whole', async () => {
  // 24 pieces of a megabyte, made when they are asked for: 24 MB pass a limit on bodies of 16.
  let made = 0;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      if (made === 24) controller.close();
      else controller.enqueue(Buffer.alloc(1 << 20, '\n'));
      made += 1;
    },
  });
  const answer = await bed.call({
    path: '/v1/files?name=large.ndjson',
    key,
    body,
    type: 'application/octet-stream',
  });
  expect(answer.as(Taken)).toMatchObject({ accepted: 0, quarantined: 0 });
});
