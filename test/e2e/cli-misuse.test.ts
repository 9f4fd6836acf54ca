import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packagePath } from '../../platform/package-path.js';
import { headgate } from '../support/command-line.js';

const MAPPING = `mapping: m
source: file:x
zone: UTC
events:
  - type: org.upserted
    id: 'org-{id}'
    subject: 'org_{id}'
    time: { column: day, as: date }
    data: {}
`;
const cwd = mkdtempSync(join(tmpdir(), 'headgate-cli-'));

beforeAll(() => {
  // A ZIP begins with PK and two control characters; this is the local header of an empty one.
  writeFileSync(join(cwd, 'really-a-zip.csv'), Buffer.from('504b030414000000080000002100', 'hex'));
  writeFileSync(join(cwd, 'mapping.yaml'), MAPPING);
  writeFileSync(join(cwd, 'bad.yaml'), 'catalog: x\nname: X\nplanz: {}\n');
});

afterAll(() => {
  rmSync(cwd, { recursive: true, force: true });
});

test.each([
  { args: ['nonsense'], says: "unknown command 'nonsense'" },
  { args: ['metrcs'], says: 'Did you mean metrics?' },
  { args: ['metrics', '--nonsense'], says: "unknown option '--nonsense'" },
  { args: ['drill'], says: "missing required argument 'metric'" },
  { args: ['drill', 'mrr', 'month'], says: 'Write it as name=value' },
  { args: ['transform', '--as-of', 'yesterday'], says: 'Write 2026-10-01' },
  { args: ['metrics', 'mrr', '--from', '2026-1-1'], says: 'Write a day' },
  { args: ['billing', 'preview', '--period', '2026-9'], says: 'Write a month' },
  { args: ['billing', 'export'], says: "required option '--period <month>' not specified" },
  {
    args: ['billing', 'export', '--period', '2026-09', '--format', 'xml'],
    says: 'Allowed choices are csv, journal',
  },
  { args: ['usage-periods', '--period', '2026'], says: 'Write a month' },
  { args: ['runs', '--limit', '0'], says: 'whole number above 0' },
  { args: ['sql', 'select 1', '--format', 'xml'], says: 'Allowed choices are table, json, csv, parquet' },
  {
    args: ['quarantine', 'decide', 'cfl_1', 'second', '--reason', 'x'],
    says: 'Allowed choices are first, other',
  },
  { args: ['quarantine', 'discard', 'qrn_1'], says: "required option '--reason <text>' not specified" },
  { args: ['keys', 'create', 'x', '--role', 'king'], says: 'Allowed choices are founder' },
  { args: ['keys', 'create', 'x', '--scope', 'nope'], says: 'Scopes are ingest, quarantine' },
  { args: ['sql', ''], says: 'Write one SELECT' },
  { args: ['metrics', 'mrr', 'extra'], says: 'too many arguments' },
  { args: ['serve', '--port', '70000'], says: 'a port from 0' },
])('misuse is 2, says what is wrong and touches nothing: headgate $args', async ({ args, says }) => {
  const { code, stdout, stderr } = await headgate(args, { cwd });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(says);
  expect(existsSync(join(cwd, '.headgate'))).toBe(false);
});

test('a group without its command shows what there is, as misuse', async () => {
  const { code, stdout, stderr } = await headgate(['quarantine'], { cwd });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain('discard [options] <id>');
});

test('help and version are answers: 0, on standard output', async () => {
  const help = await headgate(['metrics', '--help'], { cwd });
  expect(help).toMatchObject({ code: 0, stderr: '' });
  expect(help.stdout).toContain('headgate metrics mrr --by plan --json');
  const version = await headgate(['--version'], { cwd });
  expect(version).toMatchObject({ code: 0, stderr: '' });
  expect(version.stdout).toMatch(/^\d+\.\d+\.\d+/);
});

test('a catalog is checked without a data directory: 0 when it is well, 1 with line and column when not', async () => {
  const well = await headgate(['catalog', 'check', packagePath('fixtures', 'catalogs', 'frontier.yaml')], {
    cwd,
  });
  expect(well).toMatchObject({ code: 0, stderr: '' });
  const bad = await headgate(['catalog', 'check', 'bad.yaml'], { cwd });
  expect(bad).toMatchObject({ code: 1, stdout: '' });
  expect(bad.stderr).toMatch(/catalog bad\.yaml:\d+:\d+ .*planz.*did you mean "plans"/);
  const missing = await headgate(['catalog', 'check', 'absent.yaml', '--json'], { cwd });
  expect(missing.code).toBe(1);
  expect(JSON.parse(missing.stderr)).toMatchObject({ code: 'file_not_found', retryable: false });
  expect(readdirSync(cwd)).not.toContain('.headgate');
});

test('two catalogs are compared without a data directory', async () => {
  const [old, newer] = ['chatbot', 'nexus'].map((name) =>
    packagePath('fixtures', 'catalogs', `${name}.yaml`),
  );
  const { code, stdout } = await headgate(['catalog', 'diff', old ?? '', newer ?? '', '--json'], { cwd });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ changes: expect.arrayContaining([]) as unknown });
  const same = await headgate(['catalog', 'diff', old ?? '', old ?? ''], { cwd });
  expect(same).toMatchObject({ code: 0, stderr: '' });
  expect(same.stdout).toContain('no difference');
});

test('an unusable setting is refused by name, and its value is not repeated', async () => {
  const environment = { HEADGATE_PORT: '80x80', HEADGATE_VAULT_KEY: 'not-32-bytes-of-secret' };
  const { code, stderr } = await headgate(['runs'], { cwd, environment });
  expect(code).toBe(1);
  expect(stderr).toContain('HEADGATE_PORT: write a whole number');
  expect(stderr).toContain('HEADGATE_VAULT_KEY');
  expect(stderr).not.toContain('not-32-bytes-of-secret');
});

test('a slip in the name of the data directory makes none: what there is to do is said', async () => {
  for (const args of [['metrics', 'mrr'], ['orgs', 'list'], ['leads', 'list'], ['drill', 'mrr'], ['runs']]) {
    const { code, stdout, stderr } = await headgate([...args, '--data', 'slip'], { cwd });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/data directory .*slip: there is none; check --data .* headgate ingest/);
  }
  expect(existsSync(join(cwd, 'slip'))).toBe(false);
});

test('a file in place of the data directory is named, and nothing of this program shows', async () => {
  const file = join(cwd, 'mapping.yaml');
  for (const args of [['runs'], ['ingest', 'mapping.yaml'], ['doctor']]) {
    const { stdout, stderr } = await headgate([...args, '--data', file], { cwd });
    expect(`${stdout}${stderr}`).toContain(file);
    expect(`${stdout}${stderr}`).not.toMatch(/should not happen|\n +at /);
  }
});

test('several catalogs are all checked, also after a bad one', async () => {
  const well = packagePath('fixtures', 'catalogs', 'frontier.yaml');
  const { code, stdout, stderr } = await headgate(['catalog', 'check', 'bad.yaml', well, 'absent.yaml'], {
    cwd,
  });
  expect(code).toBe(1);
  expect(stdout).toContain('is well');
  expect(stderr).toMatch(/catalog bad\.yaml:\d+:\d+/);
  expect(stderr).toContain('absent.yaml');
});

test('an empty file is called empty, not known; a ZIP called .csv is a ZIP, with a mapping or without', async () => {
  writeFileSync(join(cwd, 'empty.ndjson'), '');
  const empty = await headgate(['ingest', 'empty.ndjson', '--data', 'files'], { cwd });
  expect(empty.code).toBe(0);
  expect(empty.stdout).toMatch(/empty\.ndjson +0 +0 +is empty/);
  const zip = await headgate(['ingest', 'really-a-zip.csv', '--data', 'files'], { cwd });
  expect(zip.stderr).toContain('ZIP');
});

test('doctor says what a machine without a data directory has and lacks, and makes none', async () => {
  const { code, stdout } = await headgate(['doctor', '--data', 'absent', '--json'], { cwd });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ is_well: true });
  expect(stdout).toContain('not there yet');
  expect(existsSync(join(cwd, 'absent'))).toBe(false);
});

test('bad files are named with what is wrong, the good one beside them goes in, and the exit code is 1', async () => {
  writeFileSync(
    join(cwd, 'good.ndjson'),
    '{"specversion":"1.0","id":"1","source":"/a","type":"org.upserted","subject":"org_1","time":"2026-01-01T00:00:00Z","data":{}}\n',
  );
  const files = ['absent.ndjson', 'really-a-zip.csv', 'good.ndjson', '.'];
  const { code, stdout, stderr } = await headgate(
    ['ingest', ...files, '--mapping', 'mapping.yaml', '--data', 'files', '--json'],
    { cwd },
  );
  expect(code).toBe(1);
  expect(stderr).toContain('absent.ndjson');
  const { files: outcomes } = JSON.parse(stdout) as { files: { file: string; error?: { code: string } }[] };
  expect(outcomes.map(({ file }) => file)).toEqual(files);
  expect(outcomes.filter(({ error }) => error !== undefined).map(({ file }) => file)).toContain(
    'really-a-zip.csv',
  );
  const again = await headgate(['ingest', 'absent.ndjson', 'good.ndjson', '--data', 'files'], { cwd });
  expect(again.code).toBe(1);
  expect(again.stdout).toMatch(/good\.ndjson +1 +0/);
  expect(again.stderr).toContain('there is no such file');
  const zip = await headgate(['ingest', 'really-a-zip.csv', '--mapping', 'mapping.yaml', '--data', 'files'], {
    cwd,
  });
  expect(zip.code).toBe(1);
  expect(zip.stderr).toMatch(/ZIP/i);
});
