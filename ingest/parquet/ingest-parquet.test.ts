import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { packagePath } from '../../platform/package-path.js';
import { NOW, openIngestTestBed, type IngestTestBed } from '../../test/ingest-services.js';
import { writeParquet } from '../../test/support/parquet.js';
import { ingestAnyFile, type AnyFileOptions } from '../ingest-any-file.js';

let bed: IngestTestBed;
beforeAll(async () => {
  bed = await openIngestTestBed();
});
afterAll(() => bed.close());

let before = -1n;
let number = 0;
beforeEach(async () => {
  before = (await bed.rows()).at(-1)?.log_offset ?? -1n;
});
afterEach(() => {
  number += 1;
});

const write = (name: string, select: string, options?: string): Promise<string> =>
  writeParquet(join(bed.root, name), select, options);

const ingest = (path: string, options: AnyFileOptions = {}) =>
  ingestAnyFile(path, bed.services, { minimumBulkLines: 1, ...options }, NOW);

async function newRows() {
  return (await bed.rows()).filter((row) => row.log_offset > before);
}

async function quarantined(name: string): Promise<string[]> {
  const { events } = await bed.services.quarantine.list({ sourceName: name }, { limit: 100 });
  return events
    .map(({ sourcePosition, reason, path }) => `${sourcePosition} ${reason} ${path}`.trim())
    .sort();
}

/** Rows that are events; ids are unique to each test, so that no test's file is known from another's. */
const sessions = (from: number, to: number): string =>
  `SELECT '1.0' AS specversion, 't${number}-' || i AS id, 'app' AS source, 'session.active' AS type, 'org_1' AS subject,
     TIMESTAMP '2026-05-01 10:00:00' + INTERVAL (i) SECOND AS time, '{"userId":"usr_' || i || '"}' AS data
   FROM range(${from}, ${to}) AS r(i)`;

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => `t${number}-${from + index}`);

test('rows that are events come in whole, in the order of the file, over many row groups and chunks', async () => {
  const path = await write('events.parquet', sessions(0, 30_000), ', ROW_GROUP_SIZE 4096');
  const done: number[] = [];
  const report = await ingest(path, {
    chunkBytes: 500_000,
    onProgress: ({ doneBytes }) => done.push(doneBytes),
  });
  expect(report).toMatchObject({
    name: 'events.parquet',
    accepted: 30_000,
    byEngine: 30_000,
    quarantined: 0,
  });
  expect(report.chunks).toBeGreaterThan(5);
  const rows = await newRows();
  expect(rows.map(({ id }) => id)).toEqual(numbers(0, 30_000));
  expect(rows[61]).toMatchObject({
    time: '2026-05-01T10:01:01Z',
    data: '{"userId":"usr_61"}',
    subject: 'org_1',
  });
  expect(done.at(-1)).toBe(readFileSync(path).length);
});

test('the same rows again append nothing: under another name, packed or grouped another way; of more rows, the new ones', async () => {
  await ingest(await write('twice.parquet', sessions(0, 500)), { chunkBytes: 10_000 });
  const again = [
    await ingest(join(bed.root, 'twice.parquet'), { chunkBytes: 10_000 }),
    await ingest(await write('renamed.bin', sessions(0, 500), ', COMPRESSION zstd, ROW_GROUP_SIZE 2048')),
  ];
  expect(again.map(({ accepted, chunks }) => [accepted, chunks])).toEqual([
    [0, 0],
    [0, 0],
  ]);
  expect(await ingest(await write('grown.parquet', sessions(0, 700)))).toMatchObject({ accepted: 200 });
  expect((await newRows()).map(({ id }) => id)).toEqual(numbers(0, 700));
});

test('an ingest that is interrupted goes on where it stopped', async () => {
  const path = await write('interrupted.parquet', sessions(0, 1_000));
  let chunks = 0;
  const onProgress = (): void => {
    chunks += 1;
    if (chunks === 3) throw new Error('killed');
  };
  await expect(ingest(path, { chunkBytes: 20_000, onProgress })).rejects.toThrow('killed');
  const first = (await newRows()).length;
  expect(first).toBeGreaterThan(0);
  expect(first).toBeLessThan(1_000);
  expect(await ingest(path, { chunkBytes: 20_000 })).toMatchObject({ accepted: 1_000 - first });
  expect((await newRows()).map(({ id }) => id)).toEqual(numbers(0, 1_000));
});

test('typed columns and structs are the very events that exact JSON would be: no digit is lost, no NULL is a member', async () => {
  const event = {
    specversion: '1.0',
    id: `t${number}-exact`,
    source: 'app',
    type: 'execution.completed',
    subject: 'org_1',
    time: '2026-05-01T10:00:00.123456Z',
    traceparent: 'kept',
  };
  const data =
    '{"executionId":"e1","packageId":"p","durationMs":1500,"usage":{"tokens":9007199254740993,"gib":0.000000000001,"calls":2.5},' +
    '"costMicros":123456789012345678,"currency":"USD","share":0.1,"flags":["a",null],"seenAt":"2026-05-01T00:00:00Z","day":"2026-05-01"}';
  const lines = `${JSON.stringify(event).slice(0, -1)},"data":${data}}\n`;
  writeFileSync(join(bed.root, 'exact.ndjson'), lines);
  await ingest(join(bed.root, 'exact.ndjson'));
  const structs = await write(
    'exact.parquet',
    `SELECT '1.0' AS specversion, '${event.id}' AS id, 'app' AS source, 'execution.completed' AS type, 'org_1' AS subject,
       TIMESTAMPTZ '2026-05-01 12:00:00.123456+02' AS time, 'kept' AS traceparent, NULL::VARCHAR AS tracestate,
       { executionId: 'e1', packageId: 'p', installId: NULL::VARCHAR, durationMs: 1500::UINTEGER,
         usage: MAP { 'tokens': 9007199254740993::DECIMAL(38,12), 'gib': 0.000000000001::DECIMAL(38,12), 'calls': 2.5::DECIMAL(38,12) },
         costMicros: 123456789012345678::BIGINT, currency: 'USD'::ENUM('USD', 'EUR'), share: 0.1::FLOAT, flags: ['a', NULL],
         seenAt: TIMESTAMP '2026-05-01 00:00:00', day: DATE '2026-05-01' } AS data`,
  );
  expect(await ingest(structs)).toMatchObject({ accepted: 1, quarantined: 0 });
  const [asJson, asStruct] = await newRows();
  expect(asJson?.data).toContain('"tokens":"9007199254740993"');
  expect(asStruct).toEqual({ ...asJson, log_offset: asStruct?.log_offset });
});

test('a nanosecond is cut off, before 1970 too; years that no event can have are quarantined', async () => {
  const at = (id: string, time: string): string =>
    sessions(0, 1)
      .replace(/'t\d+-' \|\| i/, `'t${number}-${id}'`)
      .replace(/TIMESTAMP '[^']+' \+ INTERVAL \(i\) SECOND/, time);
  const path = await write(
    'times.parquet',
    [
      at('a', `'2026-05-01 10:00:00.123456789'::TIMESTAMP_NS`),
      at('b', `'1969-12-31 23:59:59.999999001'::TIMESTAMP_NS`),
      at('c', `'1700-01-01 00:00:00'::TIMESTAMP_NS`),
    ].join(' UNION ALL '),
  );
  expect(await ingest(path)).toMatchObject({ accepted: 2, quarantined: 1 });
  expect((await newRows()).map(({ time }) => time)).toEqual([
    '2026-05-01T10:00:00.123456Z',
    '1969-12-31T23:59:59.999999Z',
  ]);
  expect(await quarantined('times.parquet')).toEqual(['row 3 invalid_instant time']);
});

test('bad rows are quarantined by their number, with what came and why; all others are in', async () => {
  const path = await write(
    'bad.parquet',
    `SELECT * REPLACE (
       CASE i WHEN 2 THEN NULL ELSE subject END AS subject,
       CASE i WHEN 4 THEN 'not json' WHEN 5 THEN '{"userId":"a","userId":"b"}' WHEN 6 THEN '{"userId":"\\u0000"}' WHEN 7 THEN '{}, "id": "x"'
         ELSE data END AS data,
       CASE i WHEN 8 THEN 'no.such.type' ELSE type END AS type)
     FROM (SELECT *, row_number() OVER () AS i FROM (${sessions(0, 10)}))`,
  );
  expect(await ingest(path)).toMatchObject({ accepted: 4, quarantined: 6 });
  expect(await quarantined('bad.parquet')).toEqual([
    'row 2 missing_field subject',
    'row 4 wrong_type data',
    'row 5 wrong_type data',
    'row 6 wrong_type data',
    'row 7 wrong_type data',
    'row 8 unknown_type type',
  ]);
  const { events } = await bed.services.quarantine.list({ sourceName: 'bad.parquet' }, { limit: 1 });
  expect(events).toHaveLength(1);
});

const PERIODS = packagePath('fixtures', 'mappings', 'subscription-periods.yaml');

test('a table comes in through a mapping, as its CSV would: typed amounts and days are exact', async () => {
  const path = await write(
    'periods.parquet',
    `SELECT * FROM (VALUES
       (1, 7::BIGINT, DATE '2018-11-01', DATE '2019-02-01', 50.00::DECIMAL(18,2), 'a'),
       (2, 7, DATE '2019-04-01', NULL, 19.90, E'two\\nlines, "quoted"'),
       (3, 8, DATE '2030-01-01', NULL, 1, 'c'),
       (4, 9, DATE '2019-04-01', NULL, 90071992547409.93, 'd')
     ) AS t (subscription_id, customer_id, start_date, end_date, monthly_amount, unused)`,
  );
  expect(await ingest(path, { mapping: PERIODS })).toMatchObject({ accepted: 4, quarantined: 1 });
  const rows = await newRows();
  expect(rows.map(({ id, subject, time }) => [id, subject, time])).toEqual([
    ['subscription-1-started', 'customer_7', '2018-11-01T00:00:00Z'],
    ['subscription-1-canceled', 'customer_7', '2019-02-01T00:00:00Z'],
    ['subscription-2-started', 'customer_7', '2019-04-01T00:00:00Z'],
    ['subscription-4-started', 'customer_9', '2019-04-01T00:00:00Z'],
  ]);
  expect(rows[2]?.data).toContain('"unitAmountMinor":1990');
  expect(rows[3]?.data).toContain('"unitAmountMinor":"9007199254740993"');
  expect(await quarantined('periods.parquet')).toEqual(['row 3 (subscription.started) time_in_future time']);
  expect(await ingest(path, { mapping: PERIODS })).toMatchObject({ accepted: 0, chunks: 0 });
});

const LEADS = `
mapping: leads
source: file:leads
zone: Europe/Berlin
delimiter: ';'
events:
  - type: lead.upserted
    id: 'lead-{no}'
    subject: 'lead_{no}'
    time: { column: seen, as: instant }
    data:
      leadId: 'lead_{no}'
      createdAt: { column: made, as: instant }
      attributes:
        note: { column: note }
        paid: { column: paid, as: boolean }
        score: { column: score, as: decimal }
`;

test('a local timestamp is one of the zone of the mapping, an instant is itself; text keeps its line breaks and moves no row', async () => {
  const mapping = join(bed.root, 'leads.yaml');
  writeFileSync(mapping, LEADS);
  const path = await write(
    'leads.parquet',
    `SELECT i AS no, TIMESTAMP '2025-07-05 09:30:00' AS seen, TIMESTAMPTZ '2025-07-05 09:30:00+00' AS made,
       E'one\\n\\ntwo; "three"' AS note, true AS paid, CASE i WHEN 2 THEN 'nan'::DOUBLE ELSE 1e-7 END AS score
     FROM range(1, 4) AS r(i)`,
  );
  expect(await ingest(path, { mapping })).toMatchObject({ accepted: 2, quarantined: 1 });
  const [first] = await newRows();
  expect(first?.time).toBe('2025-07-05T07:30:00Z');
  expect(JSON.parse(first?.data ?? '{}')).toMatchObject({
    createdAt: '2025-07-05T09:30:00Z',
    attributes: { note: 'one\n\ntwo; "three"', paid: true, score: '0.0000001' },
  });
  expect(await quarantined('leads.parquet')).toEqual(['row 2 (lead.upserted) invalid_decimal column score']);
});

test('a name that the engine would take for a pattern is a name', async () => {
  const plain = await write('plain.parquet', sessions(0, 3));
  const path = join(bed.root, "day=1 [a]*'?.parquet");
  renameSync(plain, path);
  expect(await ingest(path)).toMatchObject({ accepted: 3, quarantined: 0 });
  expect((await newRows()).map(({ data }) => data)).toEqual(
    [0, 1, 2].map((index) => `{"userId":"usr_${index}"}`),
  );
});

test('a file that breaks off says so and leaves nothing; one that is damaged inside keeps the rows before', async () => {
  const bytes = readFileSync(
    await write('whole.parquet', sessions(0, 20_000), ', ROW_GROUP_SIZE 2048, COMPRESSION gzip'),
  );
  const cut = join(bed.root, 'cut.parquet');
  writeFileSync(cut, bytes.subarray(0, bytes.length - 100));
  await expect(ingest(cut)).rejects.toMatchObject({
    code: 'truncated_file',
    message: expect.stringMatching(/cut\.parquet: breaks off: the index/) as string,
  });
  expect(await newRows()).toEqual([]);
  const damaged = join(bed.root, 'damaged.parquet');
  writeFileSync(damaged, Buffer.from(bytes).fill(0x55, bytes.length >> 1, (bytes.length >> 1) + 2_000));
  const refusal = ingest(damaged, { chunkBytes: 100_000 });
  await expect(refusal).rejects.toMatchObject({
    code: 'truncated_file',
    message: expect.stringMatching(/damaged\.parquet: the Parquet data is damaged.*rows before/) as string,
  });
  const kept = await newRows();
  expect(kept.length).toBeGreaterThan(2_000);
  expect(kept.map(({ id }) => id)).toEqual(numbers(0, kept.length));
  await ingest(join(bed.root, 'whole.parquet'), { chunkBytes: 100_000 });
  expect((await newRows()).map(({ id }) => id)).toEqual(numbers(0, 20_000));
});

test.each([
  [
    'a text called .parquet',
    'text.parquet',
    '{}\n',
    'unsupported_format',
    /its name says Parquet and its bytes do not/,
  ],
  ['four letters alone', 'tiny.parquet', 'PAR1', 'truncated_file', /breaks off/],
  ['an encrypted one', 'locked.parquet', `PARE${'x'.repeat(60)}PARE`, 'unsupported_format', /encrypted/],
])('%s is refused, and leaves nothing', async (_, name, content, code, message) => {
  writeFileSync(join(bed.root, name), content);
  await expect(ingest(join(bed.root, name))).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message) as string,
  });
  expect(await newRows()).toEqual([]);
  expect(await quarantined(name)).toEqual([]);
});

test.each([
  [
    'a missing column',
    '* EXCLUDE (subject), subject AS subjekt',
    /no column "subject"; did you mean "subjekt"\?.*add --mapping/,
  ],
  ['a number for an id', '* REPLACE (7 AS id)', /column "id" is INTEGER and must be text: cast it/],
  [
    'bytes for a time',
    "* REPLACE ('x'::BLOB AS time)",
    /column "time" is BLOB and must be a timestamp, or RFC 3339 text/,
  ],
  [
    'a list for data',
    '* REPLACE (1.5 AS data)',
    /column "data" is DECIMAL\(2,1\) and must be a struct, or JSON text/,
  ],
  [
    'an attribute of bytes',
    "*, 'x'::BLOB AS picture",
    /column "picture" is BLOB, which no JSON can hold: leave it out/,
  ],
  [
    'a struct with bytes in it',
    "* REPLACE ({ a: [{ b: 'x'::BLOB }] } AS data)",
    /column "data" is STRUCT.*must be a struct/,
  ],
])('%s is said once, before the first row', async (_, columns, message) => {
  const path = await write('unfit.parquet', `SELECT ${columns} FROM (${sessions(0, 3)})`);
  await expect(ingest(path)).rejects.toMatchObject({
    code: 'invalid_file',
    message: expect.stringMatching(message) as string,
  });
  expect(await newRows()).toEqual([]);
  expect(await quarantined('unfit.parquet')).toEqual([]);
});

const LEAD_ROW = `1 AS no, TIMESTAMPTZ '2025-07-05 09:30:00+00' AS seen, TIMESTAMP '2025-07-05 09:30:00' AS made, 'n' AS note, true AS paid, 1.5 AS score`;

test.each([
  [
    'a column that is missing',
    LEADS,
    LEAD_ROW.replace('AS note', 'AS notes'),
    /no column "note"; did you mean "notes"\?.*It has: no, seen/,
  ],
  [
    'a list for a cell',
    LEADS,
    LEAD_ROW.replace("'n' AS note", "['n'] AS note"),
    /column "note" is VARCHAR\[\], which is no cell/,
  ],
  [
    'a decimal comma for a number',
    LEADS.replace('as: decimal', "as: decimal, decimalMark: ','"),
    LEAD_ROW,
    /column "score" is DECIMAL\(2,1\): take decimalMark out/,
  ],
  [
    'a format for a timestamp',
    LEADS.replace('column: made, as: instant', 'column: made, as: instant, format: dd/MM/yyyy'),
    LEAD_ROW,
    /column "made" is TIMESTAMP: take format out/,
  ],
  [
    'names for columns that have names',
    `${LEADS}columns: [no]\n`,
    LEAD_ROW,
    /take `columns` out of the mapping/,
  ],
])('%s is said once, before the first row of a table', async (_, text, columns, message) => {
  const mapping = join(bed.root, 'unfit.yaml');
  writeFileSync(mapping, text);
  const path = await write('unfit-table.parquet', `SELECT ${columns}`);
  await expect(ingest(path, { mapping })).rejects.toMatchObject({
    code: 'invalid_file',
    message: expect.stringMatching(message) as string,
  });
  expect(await newRows()).toEqual([]);
});
