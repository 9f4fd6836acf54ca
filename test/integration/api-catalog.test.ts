import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { packagePath } from '../../platform/package-path.js';
import { NOW, openApiTestBed, type ApiTestBed } from '../api-test-bed.js';
import { publishHandMadeRun } from '../hand-made-run.js';
import { readAll } from '../read-all.js';

const SOURCE = readFileSync(packagePath('fixtures', 'catalogs', 'chatbot.yaml'), 'utf8');

let bed: ApiTestBed;
let writer: string;
beforeAll(async () => {
  bed = await openApiTestBed();
  writer = await bed.keyWith('catalog:write');
});
afterAll(() => bed.close());

const Posted = z.looseObject({
  outcome: z.string(),
  problems: z.array(z.looseObject({ line: z.int(), column: z.int(), path: z.string(), message: z.string() })),
  version: z.looseObject({ version: z.int(), published_by: z.string() }).nullable(),
  changes: z.array(z.looseObject({ section: z.string(), id: z.string(), field: z.string() })),
});
const post = (action: string, source: string) =>
  bed.call({ path: '/v1/catalog', key: writer, json: { action, source, file: 'chatbot.yaml' } });

/** The same catalog with another name. */
const renamed = (name: string) => SOURCE.replace(/^name: .*$/m, `name: ${name}`);

test('a check changes nothing and names every problem with its line', async () => {
  expect((await post('check', SOURCE)).as(Posted)).toMatchObject({ outcome: 'valid', version: null });
  const bad = (await post('check', `${SOURCE}\ncolour: red\n`)).as(Posted);
  expect(bad.outcome).toBe('invalid');
  expect(bad.problems[0]?.line).toBe(SOURCE.split('\n').length + 1);
  expect((await bed.call({ path: '/v1/catalog' })).problem().code).toBe('no_catalog');
  expect((await bed.call({ path: '/v1/packages' })).status).toBe(409);
});

test('publishing makes versions that are shown, listed and compared, and never the same one twice', async () => {
  const first = (await post('publish', SOURCE)).as(Posted);
  expect(first).toMatchObject({ outcome: 'published', version: { version: 1 } });
  expect(first.version?.published_by).toMatch(/^key_/);
  expect((await post('publish', SOURCE)).as(Posted)).toMatchObject({
    outcome: 'unchanged',
    version: { version: 1 },
  });
  bed.setClock(NOW + 60_000_000n);
  const second = (await post('publish', renamed('Another'))).as(Posted);
  expect(second.version?.version).toBe(2);
  expect(second.changes.map(({ section, field }) => [section, field])).toEqual([['catalog', 'name']]);

  const shown = (await bed.call({ path: '/v1/catalog?version=1' })).as(z.looseObject({ source: z.string() }));
  expect(shown.source).toBe(SOURCE);
  expect((await bed.call({ path: '/v1/catalog' })).json()).toMatchObject({
    version: { version: 2, effective_to: null },
  });
  expect((await readAll(bed, '/v1/catalog/versions', 'versions', 1)).map((one) => one['version'])).toEqual([
    2, 1,
  ]);
  const diff = (await bed.call({ path: '/v1/catalog/diff?from=1' })).json();
  expect(diff).toMatchObject({
    from: { version: 1 },
    to: { version: 2 },
    changes: [{ field: 'name', after: 'Another' }],
  });
  expect((await bed.call({ path: '/v1/catalog/diff?from=1&to=9' })).problem().code).toBe('catalog_not_found');
  expect((await bed.call({ path: '/v1/catalog/diff' })).problem().code).toBe('invalid_argument');
});

test('a catalog with problems is not published, and the problem says where', async () => {
  const answer = await post('publish', SOURCE.replace(/^currencies: .*$/m, 'currencies: [XXQ]'));
  expect([answer.status, answer.problem().code]).toEqual([422, 'catalog_invalid']);
  expect(answer.problem().detail).toMatch(/^catalog chatbot\.yaml:\d+:\d+ currencies/);
  expect((await bed.call({ path: '/v1/catalog' })).json()).toMatchObject({ version: { version: 2 } });
});

test('who published is on the record', async () => {
  const entries = await bed.runtime.services.audit.list();
  expect(entries.filter(({ action }) => action === 'catalog.publish').map(({ target }) => target)).toEqual([
    '1',
    '1',
    '2',
  ]);
});

test('packages come from the catalog that ruled at the as-of', async () => {
  await publishHandMadeRun(bed.runtime, { asOf: NOW, rows: {} });
  const packages = await bed.call({ path: '/v1/packages' });
  // The second version rules from a minute after the as-of.
  expect(packages.json()).toMatchObject({ catalog_version: 1 });
});
