import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HeadgateError } from '../core/errors.js';
import { formatProblem, loadCatalogFile, MAX_CATALOG_BYTES, readCatalogText } from './catalog-file.js';

/** Lines are counted by hand in this text: `catalog` is line 1, `plans` line 15. */
const TEXT = `catalog: frontier
name: Frontier
zone: UTC
currencies: [USD]
reportingCurrency: USD
segments:
  teams: { name: Teams, profile: Small teams, role: primary, motion: self_serve, priority: 1 }
meters:
  ai_operations:
    name: AI operations
    unit: operation
    stream: executions
    eventType: execution.completed
    aggregation: count
plans:
  growth:
    name: Growth
    tier: 1
    price: { amount: '99.00', currency: USD, interval: month }
    allowances:
      ai_operations: { quantity: '10000' }
`;

function problemLines(text: string): string[] {
  const reading = readCatalogText(text, 'frontier.yaml');
  return reading.ok ? [] : reading.problems.map(formatProblem);
}

test('the text is a catalog', () => {
  expect(problemLines(TEXT)).toEqual([]);
});

describe('a problem says file, line, column, path, and what to do', () => {
  const cases: [string, (text: string) => string, string][] = [
    [
      'an unknown meter, at its name',
      (text) => text.replace('      ai_operations: {', '      ai_operation: {'),
      'catalog frontier.yaml:21:7 plans.growth.allowances.ai_operation: unknown meter "ai_operation"; did you mean "ai_operations"?',
    ],
    [
      'an unknown field, at its name',
      (text) => text.replace('    tier: 1', '    teir: 1\n    tier: 1'),
      'catalog frontier.yaml:18:5 plans.growth.teir: unknown field "teir"; did you mean "tier"?',
    ],
    [
      'a wrong value, at the value',
      (text) => text.replace("'99.00'", '99.00'),
      'catalog frontier.yaml:19:22 plans.growth.price.amount: expected a decimal in quotes, like "49.00"',
    ],
    [
      'a wrong word, at the word',
      (text) => text.replace('interval: month', 'interval: mnth'),
      'catalog frontier.yaml:19:56 plans.growth.price.interval: unknown value "mnth"; did you mean "month"?',
    ],
    [
      'a missing field, at the name of what lacks it',
      (text) => text.replace('    tier: 1\n', ''),
      'catalog frontier.yaml:16:3 plans.growth.tier: this field is required and missing',
    ],
    [
      'a missing section, at the top',
      (text) => text.replace('zone: UTC\n', ''),
      'catalog frontier.yaml:1:1 zone: this field is required and missing',
    ],
    [
      'an id that is none, at the id',
      (text) => text.replace('  growth:', '  Growth:'),
      'catalog frontier.yaml:16:3 plans.Growth: an id starts with a letter and has lower-case letters, digits, "_" or "-" (64 at most)',
    ],
    [
      'an item of a list, at the item',
      (text) => text.replace('currencies: [USD]', 'currencies: [USD, USX]'),
      'catalog frontier.yaml:4:19 currencies.1: not a currency that Headgate knows (ISO 4217)',
    ],
    [
      'a name that stands twice, at the second',
      (text) => `${text}  growth:\n    name: Again\n`,
      'catalog frontier.yaml:22:3 this name stands here twice; remove one',
    ],
    [
      'a cycle, at one of its links',
      (text) => text.replace('    tier: 1', '    tier: 1\n    upgradesTo: growth'),
      'catalog frontier.yaml:19:17 plans.growth.upgradesTo: upgrades go round in a circle: growth → growth; remove one of the links',
    ],
  ];
  test.each(cases)('%s', (_, change, expected) => {
    expect(problemLines(change(TEXT))).toEqual([expected]);
  });
});

test('several problems come in the order of the file', () => {
  const text = TEXT.replace('zone: UTC', 'zone: Nowhere/Town').replace('tier: 1', 'tier: one');
  expect(problemLines(text).map((line) => line.split(' ')[1])).toEqual([
    'frontier.yaml:3:7',
    'frontier.yaml:18:11',
  ]);
});

test('a tab or an open quote is a problem with a place', () => {
  expect(problemLines(TEXT.replace('    tier: 1', '\ttier: 1'))[0]).toMatch(
    /^catalog frontier\.yaml:18:\d+ /,
  );
  expect(problemLines(`${TEXT}extra: "open\n`)[0]).toMatch(/^catalog frontier\.yaml:2[23]:\d+ /);
});

test('an empty file, a list and plain text are problems, not crashes', () => {
  for (const text of ['', '- a\n', 'hello', '---\n', '%'])
    expect(problemLines(text).length).toBeGreaterThan(0);
});

test('YAML 1.2: "no" stays a word, a day stays text', () => {
  const reading = readCatalogText(
    TEXT.replace('name: Growth', 'name: no').replace('zone: UTC', 'zone: UTC\nlaunchedOn: 2026-10-01'),
    'f.yaml',
  );
  if (!reading.ok) throw new Error('the text must be a catalog');
  expect(reading.file.catalog.plans.growth?.name).toBe('no');
  expect(reading.file.catalog.launchedOn).toBe('2026-10-01');
});

test('a bomb of aliases or brackets is refused', () => {
  const levels = Array.from({ length: 12 }, (_, level) =>
    level === 0
      ? 'a0: &a0 [x, x, x, x, x, x, x, x, x, x]'
      : `a${level}: &a${level} [${Array(10)
          .fill(`*a${level - 1}`)
          .join(', ')}]`,
  );
  expect(problemLines(levels.join('\n'))).toEqual([
    "catalog frontier.yaml:1:1 this can't be read: nested too deeply, or too many aliases; write it out",
  ]);
  expect(problemLines('['.repeat(100_000))).toHaveLength(1);
});

describe('files', () => {
  let directory = '';
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'headgate-catalog-'));
  });
  afterAll(async () => {
    await rm(directory, { recursive: true });
  });

  const codeOf = async (path: string) => {
    try {
      await loadCatalogFile(path);
      return 'no error';
    } catch (error) {
      return error instanceof HeadgateError ? error.code : String(error);
    }
  };

  test('a good file is read with its text', async () => {
    const path = join(directory, 'frontier.yaml');
    await writeFile(path, TEXT);
    const file = await loadCatalogFile(path);
    expect(file.file).toBe('frontier.yaml');
    expect(file.text).toBe(TEXT);
    expect(file.catalog.plans.growth?.price.amountMinor).toBe(9_900n);
  });

  test('no file, a folder, bytes that are not UTF-8, a huge file: each says so', async () => {
    expect(await codeOf(join(directory, 'none.yaml'))).toBe('file_not_found');
    expect(await codeOf(directory)).toBe('file_not_found');
    await writeFile(join(directory, 'latin.yaml'), Buffer.from([0x6e, 0xe9, 0x0a]));
    expect(await codeOf(join(directory, 'latin.yaml'))).toBe('invalid_utf8');
    await writeFile(join(directory, 'huge.yaml'), Buffer.alloc(MAX_CATALOG_BYTES + 1, 0x23));
    expect(await codeOf(join(directory, 'huge.yaml'))).toBe('catalog_invalid');
  });

  test('a bad file throws with every problem', async () => {
    const path = join(directory, 'bad.yaml');
    await writeFile(path, TEXT.replace('UTC', 'Nowhere').replace('tier: 1', 'tier: 0'));
    await expect(loadCatalogFile(path)).rejects.toMatchObject({
      code: 'catalog_invalid',
      message: expect.stringMatching(
        /bad\.yaml:3:7 zone: .*\n.*bad\.yaml:18:11 plans\.growth\.tier: /,
      ) as string,
    });
  });
});

test('any text is answered with a catalog or with problems that have a place', () => {
  const anyText = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .tuple(fc.nat(TEXT.length), fc.string({ unit: 'binary' }))
      .map(([at, text]) => TEXT.slice(0, at) + text + TEXT.slice(at)),
    fc.nat(TEXT.length).map((at) => TEXT.slice(0, at)),
  );
  fc.assert(
    fc.property(anyText, (text) => {
      const reading = readCatalogText(text, 'any.yaml');
      if (reading.ok) return;
      for (const { line, column, message } of reading.problems) {
        expect(line).toBeGreaterThan(0);
        expect(column).toBeGreaterThan(0);
        expect(message).not.toBe('');
      }
    }),
    { numRuns: 300 },
  );
});
