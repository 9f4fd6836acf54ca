import {
  appendFileSync,
  closeSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventExamples } from '../../core/events/examples.js';
import { NOW, openIngestTestBed, type IngestTestBed } from '../../test/ingest-services.js';
import { zstdStored } from '../../test/support/zstd-frames.js';
import { ingestNdjsonFile, type FileOptions, type FileProgress } from './ingest-file.js';

let bed: IngestTestBed;
beforeAll(async () => {
  bed = await openIngestTestBed();
});
afterAll(() => bed.close());

const session = eventExamples['session.active'];
let before = -1n;
let number = 0;
beforeEach(async () => {
  before = (await bed.rows()).at(-1)?.log_offset ?? -1n;
});
afterEach(() => {
  number += 1;
});

/** Unique to each test, so that no test's file is known from another's. */
const line = (index: number): string => JSON.stringify({ ...session, id: `t${number}-${index}` });
const lines = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, index) => `${line(from + index)}\n`).join('');

function write(name: string, content: string | Uint8Array): string {
  const path = join(bed.root, name);
  writeFileSync(path, content);
  return path;
}

const ingest = (path: string, options: FileOptions = {}) =>
  ingestNdjsonFile(path, bed.services, { minimumBulkLines: 1, ...options }, NOW);

async function newIds(): Promise<string[]> {
  return (await bed.rows())
    .filter((row) => row.log_offset > before)
    .map((row) => row.id.replace(/^t\d+-/, ''));
}

async function quarantined(name: string): Promise<string[]> {
  const { events } = await bed.services.quarantine.list({ sourceName: name }, { limit: 100 });
  return events.map(({ sourcePosition, reason }) => `${sourcePosition} ${reason}`).sort();
}

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => String(from + index));

test('a file comes in whole, in its order, in chunks of any size', async () => {
  const path = write('whole.ndjson', lines(0, 300));
  const seen: FileProgress[] = [];
  const report = await ingest(path, { chunkBytes: 5_000, onProgress: (progress) => seen.push(progress) });
  expect(report).toMatchObject({ accepted: 300, byEngine: 300, quarantined: 0 });
  expect(report.chunks).toBeGreaterThan(5);
  expect(await newIds()).toEqual(numbers(0, 300));
  expect(seen.at(-1)).toMatchObject({ accepted: 300, doneBytes: readFileSync(path).length });
});

test('the same file again appends nothing, under another name or packed just as little', async () => {
  const content = lines(0, 50);
  await ingest(write('twice.ndjson', content), { chunkBytes: 2_000 });
  const again = [
    await ingest(join(bed.root, 'twice.ndjson'), { chunkBytes: 2_000 }),
    await ingest(write('renamed.ndjson', content)),
    await ingest(write('packed.ndjson.gz', gzipSync(content))),
    await ingest(write('packed.ndjson.zst', zstdStored(content))),
    await ingest(join(bed.root, 'twice.ndjson'), { chunkBytes: 1 << 20 }),
  ];
  expect(again.map(({ accepted, chunks }) => [accepted, chunks])).toEqual(Array(5).fill([0, 0]));
  expect(await newIds()).toEqual(numbers(0, 50));
});

test('one file ingested twice at once is counted once', async () => {
  const path = write('at-once.ndjson', lines(0, 200));
  const reports = await Promise.all([
    ingest(path, { chunkBytes: 2_000 }),
    ingest(path, { chunkBytes: 2_000 }),
  ]);
  expect(reports.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(200);
  expect((await newIds()).sort()).toEqual(numbers(0, 200).sort());
});

test('of a file that grew, only what is new is appended, and line numbers go on', async () => {
  const path = write('growing.ndjson', lines(0, 40));
  await ingest(path, { chunkBytes: 2_000 });
  appendFileSync(path, `${lines(40, 60)}broken\n`);
  expect(await ingest(path, { chunkBytes: 2_000 })).toMatchObject({ accepted: 20, quarantined: 1 });
  expect(await newIds()).toEqual(numbers(0, 60));
  expect(await quarantined('growing.ndjson')).toEqual(['line 61 invalid_json']);
});

test('an ingest that is interrupted goes on where it stopped', async () => {
  const path = write('interrupted.ndjson', lines(0, 100));
  let chunks = 0;
  const dying = ingest(path, {
    chunkBytes: 2_000,
    onProgress: () => {
      chunks += 1;
      if (chunks === 3) throw new Error('killed');
    },
  });
  await expect(dying).rejects.toThrow('killed');
  const first = (await newIds()).length;
  expect(first).toBeGreaterThan(0);
  expect(first).toBeLessThan(100);
  expect(await ingest(path, { chunkBytes: 2_000 })).toMatchObject({ accepted: 100 - first });
  expect(await newIds()).toEqual(numbers(0, 100));
});

test('bad lines are quarantined one by one with their line number and bytes; all others are in', async () => {
  const content = Buffer.concat([
    Buffer.from(`\ufeff${line(0)}\r\n\r\n${line(1)}\n`),
    Buffer.from([0x22, 0xff, 0xfe, 0x22, 0x0a]),
    Buffer.from(`not json\n${line(2)}\nnul \u0000 byte\n{"id":"half"\n${line(3)}`),
  ]);
  expect(await ingest(write('bad.ndjson', content))).toMatchObject({ accepted: 4, quarantined: 4 });
  expect(await newIds()).toEqual(numbers(0, 4));
  expect(await quarantined('bad.ndjson')).toEqual([
    'line 4 invalid_utf8',
    'line 5 invalid_json',
    'line 7 invalid_json',
    'line 8 invalid_json',
  ]);
  const { events } = await bed.services.quarantine.list(
    { sourceName: 'bad.ndjson', reason: 'invalid_utf8' },
    { limit: 1 },
  );
  expect([...(events[0]?.raw ?? [])]).toEqual([0x22, 0xff, 0xfe, 0x22]);
});

test('a line of 100 MB is one bad event and is never held whole', async () => {
  const path = join(bed.root, 'long.ndjson');
  const file = openSync(path, 'w');
  writeSync(file, `${line(0)}\n`);
  const megabyte = Buffer.alloc(1 << 20, 'x');
  for (let written = 0; written < 100; written += 1) writeSync(file, megabyte);
  writeSync(file, `\n${line(1)}\n`);
  closeSync(file);
  const peaks: number[] = [];
  const baseline = process.memoryUsage().arrayBuffers;
  const report = await ingest(path, {
    chunkBytes: 4 << 20,
    onProgress: () => peaks.push(process.memoryUsage().arrayBuffers - baseline),
  });
  expect(report).toMatchObject({ accepted: 2, quarantined: 1 });
  expect(await newIds()).toEqual(numbers(0, 2));
  expect(await quarantined('long.ndjson')).toEqual(['line 2 event_too_large']);
  expect(Math.max(...peaks)).toBeLessThan(60 << 20);
  expect(await ingest(path, { chunkBytes: 4 << 20 })).toMatchObject({ accepted: 0, chunks: 0 });
});

test('a truncated gzip is a clear error after all whole lines before it; the whole file adds the rest', async () => {
  // Random ids keep gzip from packing it all into a few bytes.
  const content = Array.from({ length: 3_000 }, (_, index) =>
    line(index).replace('"usr_1"', `"${Math.random()}"`),
  );
  const packed = gzipSync(`${content.join('\n')}\n`);
  const path = write('cut.ndjson.gz', packed);
  truncateSync(path, Math.floor(packed.length / 2));
  await expect(ingest(path, { chunkBytes: 50_000 })).rejects.toMatchObject({ code: 'truncated_file' });
  const first = await newIds();
  expect(first.length).toBeGreaterThan(1_000);
  expect(await quarantined('cut.ndjson.gz')).toEqual([]);
  writeFileSync(path, packed);
  await ingest(path, { chunkBytes: 50_000 });
  expect(await newIds()).toEqual(numbers(0, 3_000));
});

test('a zstd file that breaks off, or is damaged, keeps the whole lines before it; the whole file adds the rest', async () => {
  const packed = zstdStored(lines(0, 600));
  const path = write('cut.ndjson.zst', packed.subarray(0, Math.floor(packed.length / 2)));
  await expect(ingest(path, { chunkBytes: 20_000 })).rejects.toMatchObject({
    code: 'truncated_file',
    message: expect.stringMatching(/breaks off before its end/) as string,
  });
  const first = await newIds();
  expect(first.length).toBeGreaterThan(200);
  expect(first).toEqual(numbers(0, first.length));
  expect(await quarantined('cut.ndjson.zst')).toEqual([]);
  writeFileSync(path, Buffer.concat([packed, Buffer.from('no frame')]));
  await expect(ingest(path, { chunkBytes: 20_000 })).rejects.toMatchObject({
    code: 'truncated_file',
    message: expect.stringMatching(/is damaged/) as string,
  });
  writeFileSync(path, packed);
  await ingest(path, { chunkBytes: 20_000 });
  expect(await newIds()).toEqual(numbers(0, 600));
});

test('packed data is known by its bytes, whatever the name says', async () => {
  await ingest(write('zst-inside.ndjson', zstdStored(lines(0, 3))));
  await ingest(write('gzip-inside.ndjson', gzipSync(lines(3, 6))));
  await ingest(write('zst-inside.ndjson.gz', zstdStored(lines(6, 9))));
  expect(await newIds()).toEqual(numbers(0, 9));
});

test.each([
  ['a ZIP called .ndjson', 'zip.ndjson', Buffer.from('PK\u0003\u0004rest'), /is a ZIP archive/],
  ['.gz without gzip', 'fake.ndjson.gz', Buffer.from('{}\n'), /not gzip data/],
  ['.zst without zstd', 'fake.ndjson.zst', Buffer.from('{}\n'), /ends in \.zst but it is not zstd data/],
  ['zstd inside gzip', 'both.ndjson.gz', gzipSync(zstdStored('{}')), /is zstd data.*packed twice/],
  ['a ZIP inside a zstd', 'inner.ndjson.zst', zstdStored('PK\u0003\u0004rest'), /is a ZIP archive/],
  ['a ZIP inside a gzip', 'inner.ndjson.gz', gzipSync(Buffer.from('PK\u0003\u0004rest')), /is a ZIP archive/],
  ['Parquet', 'data.ndjson', Buffer.from('PAR1....'), /is a Parquet file/],
  ['UTF-16', 'wide.ndjson', Buffer.from('\ufeff{}', 'utf16le'), /is UTF-16 text/],
  ['a binary', 'binary.ndjson', Buffer.from([1, 2, 0, 3]), /is binary data/],
  ['one JSON array', 'array.ndjson', Buffer.from('[\n{}\n]'), /holds a JSON array.*jq/],
])('%s is refused before any line is looked at', async (_, name, content, message) => {
  await expect(ingest(write(name, content))).rejects.toMatchObject({
    code: 'unsupported_format',
    message: expect.stringMatching(message) as string,
  });
  expect(await newIds()).toEqual([]);
  expect(await quarantined(name)).toEqual([]);
});

test('a file that is not there, or is a folder, says so', async () => {
  await expect(ingest(join(bed.root, 'nowhere.ndjson'))).rejects.toMatchObject({ code: 'file_not_found' });
  await expect(ingest(bed.root)).rejects.toMatchObject({ code: 'invalid_file' });
  expect(await ingest(write('empty.ndjson', ''))).toMatchObject({ accepted: 0, chunks: 0, isKnown: false });
});

test('personal values in a file are tokenised, whatever path their line takes', async () => {
  const lead = eventExamples['lead.upserted'];
  const withEmail = (id: string) =>
    JSON.stringify({ ...lead, id, data: { ...lead.data, email: 'cleo@example.com' } });
  await ingest(write('personal.ndjson', `${withEmail('p1')}\n${withEmail('p2')}\n`));
  const rows = (await bed.rows()).filter((row) => row.log_offset > before);
  expect(rows).toHaveLength(2);
  for (const { data } of rows) expect(data).toContain(bed.services.vault.token('cleo@example.com'));
});
