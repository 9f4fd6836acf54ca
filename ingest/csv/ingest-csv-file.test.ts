import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { packagePath } from '../../platform/package-path.js';
import { NOW, openIngestTestBed, type IngestTestBed } from '../../test/ingest-services.js';
import { zstdStored } from '../../test/support/zstd-frames.js';
import { ingestAnyFile } from '../ingest-any-file.js';

let bed: IngestTestBed;
let before = -1n;
beforeAll(async () => {
  bed = await openIngestTestBed();
});
beforeEach(async () => {
  before = (await bed.rows()).at(-1)?.log_offset ?? -1n;
});
afterAll(() => bed.close());

function write(name: string, content: string | Uint8Array): string {
  const path = join(bed.root, name);
  writeFileSync(path, content);
  return path;
}

const ingest = (path: string, mapping?: string) =>
  ingestAnyFile(path, bed.services, mapping === undefined ? {} : { mapping }, NOW);

async function newRows() {
  return (await bed.rows()).filter((row) => row.log_offset > before);
}

async function quarantined(name: string): Promise<string[]> {
  const { events } = await bed.services.quarantine.list({ sourceName: name }, { limit: 100 });
  return events
    .map(({ sourcePosition, reason, path }) => `${sourcePosition} ${reason} ${path}`.trim())
    .sort();
}

const PERIODS = packagePath('fixtures', 'mappings', 'subscription-periods.yaml');
const HEADER = 'subscription_id,customer_id,start_date,end_date,monthly_amount\n';

test('one row makes a start and a cancellation, with money exact and days at midnight of the zone', async () => {
  const path = write('periods.csv', `${HEADER}1,7,2018-11-01,2019-02-01,50\n2,7,2019-04-01,,19.90\n`);
  expect(await ingest(path, PERIODS)).toMatchObject({ accepted: 3, quarantined: 0 });
  const rows = await newRows();
  expect(rows.map(({ id, type, subject, time }) => [id, type, subject, time])).toEqual([
    ['subscription-1-started', 'subscription.started', 'customer_7', '2018-11-01T00:00:00Z'],
    ['subscription-1-canceled', 'subscription.canceled', 'customer_7', '2019-02-01T00:00:00Z'],
    ['subscription-2-started', 'subscription.started', 'customer_7', '2019-04-01T00:00:00Z'],
  ]);
  expect(rows[0]?.data).toContain('"unitAmountMinor":5000');
  expect(rows[2]?.data).toContain('"unitAmountMinor":1990');
});

test('a packed file is the same file, however it is packed', async () => {
  const content = `${HEADER}70,1,2018-11-01,,50\n`;
  expect(await ingest(write('packed.csv.zst', zstdStored(content)), PERIODS)).toMatchObject({ accepted: 1 });
  expect(await ingest(write('packed.csv.gz', gzipSync(content)), PERIODS)).toMatchObject({ chunks: 0 });
});

test('rows that fail are quarantined by line; what a row says rightly is in', async () => {
  const path = write(
    'failing.csv',
    `${HEADER}10,1,2018-11-01,soon,50\n11,1,2018-11-01,2019-01-01,9.999\n12,1,2018-11-01\n"13,1\n` +
      `14,1,2030-01-01,,5\n15,"1",2018-11-01,2018-12-01,"1,250.00"\n`,
  );
  expect(await ingest(path, PERIODS)).toMatchObject({ accepted: 4, quarantined: 5 });
  expect((await newRows()).map(({ id }) => id)).toEqual([
    'subscription-10-started',
    'subscription-11-canceled',
    'subscription-15-started',
    'subscription-15-canceled',
  ]);
  expect(await quarantined('failing.csv')).toEqual([
    'line 2 (subscription.canceled) invalid_instant column end_date',
    'line 3 (subscription.started) money_not_integer column monthly_amount',
    'line 4 invalid_text',
    'line 5 invalid_text',
    'line 6 (subscription.started) time_in_future time',
  ]);
});

test('the same file again appends nothing; a grown one only its new rows; another mapping reads it anew', async () => {
  const path = write('again.csv', `${HEADER}20,1,2018-11-01,,50\n`);
  await ingest(path, PERIODS);
  expect(await ingest(path, PERIODS)).toMatchObject({ accepted: 0, chunks: 0 });
  appendFileSync(path, '21,1,2018-12-01,,50\n');
  expect(await ingest(path, PERIODS)).toMatchObject({ accepted: 1 });
  expect((await newRows()).map(({ id }) => id)).toEqual([
    'subscription-20-started',
    'subscription-21-started',
  ]);
  const other = write('other.yaml', readFileSync(PERIODS, 'utf8').replaceAll("'subscription-{", "'s-{"));
  expect(await ingest(path, other)).toMatchObject({ accepted: 2 });
});

const LEADS = `
mapping: leads
source: file:leads
delimiter: ';'
encoding: latin1
zone: Europe/Berlin
events:
  - type: lead.upserted
    when: { column: kind, isNot: [test] }
    id: 'lead-{no}'
    subject: 'lead_{no}'
    time: { template: '{day}.{month}.{year} {clock}', as: instant, format: 'd.MMM.yyyy HH:mm' }
    data:
      leadId: 'lead_{no}'
      email: '{mail}'
      createdAt: { template: '{day}.{month}.{year} {clock}', as: instant, format: 'd.MMM.yyyy HH:mm' }
      status: { column: kind, map: { q: qualified }, default: new }
      attributes:
        budget: { column: budget, as: decimal, decimalMark: ',' }
        employees: { column: employees, as: integer }
        customer: { column: customer, as: boolean }
        note: { column: note }
        fixed: { constant: 'in {braces}' }
`;

test('columns are put together, mapped, converted by format and zone; personal ones are tokenised', async () => {
  const mapping = write('leads.yaml', LEADS);
  const text =
    'no;mail;day;month;year;clock;kind;budget;employees;customer;note\n' +
    '1;ana@example.com;5;Jul;2025;09:30;q;1.250,50;12;yes;"two\nlines; ""quoted"""\n' +
    '2;;6;jan;2026;10:00;test;;;;\n' +
    '3;;6;jan;2026;10:00;;;;;Köln 5" pipe\n';
  const path = write('leads.csv.gz', gzipSync(Buffer.from(text, 'latin1')));
  expect(await ingest(path, mapping)).toMatchObject({ accepted: 2, quarantined: 0 });
  const [first, second] = await newRows();
  expect(first?.time).toBe('2025-07-05T07:30:00Z');
  expect(JSON.parse(first?.data ?? '{}')).toEqual({
    leadId: 'lead_1',
    email: bed.services.vault.token('ana@example.com'),
    createdAt: '2025-07-05T07:30:00Z',
    status: 'qualified',
    attributes: {
      budget: '1250.5',
      employees: 12,
      customer: true,
      note: 'two\nlines; "quoted"',
      fixed: 'in {braces}',
    },
  });
  expect(JSON.parse(second?.data ?? '{}')).toMatchObject({
    status: 'new',
    attributes: { note: 'Köln 5" pipe' },
  });
});

test.each([
  ['an unknown key', (text: string) => text.replace('zone:', 'zoen:'), /zoen/],
  [
    'an unknown type',
    (text: string) => text.replace('lead.upserted', 'lead.upsertd'),
    /did you mean "lead.upserted"/,
  ],
  ['a required field left out', (text: string) => text.replace(/ {6}leadId.*\n/, ''), /needs leadId/],
  [
    'a misspelt field',
    (text: string) => text.replace('      email:', '      emial:'),
    /did you mean "email"/,
  ],
  [
    'money without a currency',
    (text: string) => text.replace('as: decimal, decimalMark', 'as: minor, decimalMark'),
    /budget/,
  ],
  ['a format that names no day', (text: string) => text.replaceAll('d.MMM.yyyy', 'MMM.yyyy'), /time/],
  ['a zone that is none', (text: string) => text.replace('Europe/Berlin', 'Berlin'), /zone: is not an IANA/],
  ['broken YAML', () => 'mapping: [', /mapping bad\.yaml:\d+:\d+ /],
  [
    'a type that is none, named with its line,',
    (text: string) => text.replace('as: decimal', 'as: decimals'),
    /^mapping bad\.yaml:\d+:\d+ events\.0\.data\.[\w.]+: unknown value "decimals"; did you mean "decimal"\?$/,
  ],
  [
    'a value of another kind',
    (text: string) => text.replace(/^source: .*$/m, 'source: 7'),
    /^mapping bad\.yaml:3:9 source: expected text .*, found the number 7$/,
  ],
])('a mapping with %s is refused before the first row', async (_, change, message) => {
  const mapping = write('bad.yaml', change(LEADS));
  await expect(ingest(write('any.csv', 'no\n1\n'), mapping)).rejects.toMatchObject({
    code: 'invalid_mapping',
    message: expect.stringMatching(message) as string,
  });
});

test('a column that the file does not have is named, with what was meant', async () => {
  const path = write('columns.csv', HEADER.replace('start_date', 'startdate'));
  await expect(ingest(path, PERIODS)).rejects.toMatchObject({
    code: 'invalid_mapping',
    message: expect.stringMatching(/no column "start_date"; did you mean "startdate"/) as string,
  });
});

test('a ZIP called .csv is refused, and a CSV without a mapping says what it needs', async () => {
  const zip = write('workbook.csv', Buffer.from('PK\u0003\u0004rest'));
  await expect(ingest(zip, PERIODS)).rejects.toMatchObject({ code: 'unsupported_format' });
  await expect(ingest(zip)).rejects.toMatchObject({ code: 'unsupported_format' });
  await expect(ingest(write('plain.csv', 'no\n1\n'))).rejects.toMatchObject({ code: 'invalid_argument' });
  await expect(ingest(write('empty.csv', ''), PERIODS)).rejects.toMatchObject({
    code: 'invalid_file',
    message: expect.stringContaining('empty.csv: is empty: it has no header row') as string,
  });
  expect(await newRows()).toEqual([]);
});

const shared = packagePath('..', 'shared', 'data', 'subscription_periods.csv');

test('the published subscription periods come in whole', async () => {
  if (!existsSync(shared)) {
    console.log(`../shared/data/subscription_periods.csv is absent; the hand-made rows above stand in`);
    return;
  }
  // 121 rows, each with an end.
  expect(await ingest(shared, PERIODS)).toMatchObject({ accepted: 242, quarantined: 0 });
});
