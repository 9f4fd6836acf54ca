import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { catalogTables } from '../core/catalog-tables.js';
import { parseInstant } from '../core/time.js';
import { readCatalogText, type CatalogFile } from './catalog-file.js';
import { CatalogStore, digestOf } from './catalog-store.js';
import { openPgliteSql } from './sql/pglite-sql.js';
import { catalogVersions } from './sql/schema.js';
import type { Sql } from './sql/sql.js';

const TEXT = `catalog: acme
name: Acme
zone: UTC
currencies: [USD]
reportingCurrency: USD
segments:
  teams: { name: Teams, profile: Small teams, role: primary, motion: self_serve, priority: 1 }
plans:
  zeta: { name: Zeta, tier: 1, price: { amount: '9.00', currency: USD, interval: month } }
  alpha: { name: Alpha, tier: 2, price: { amount: '99.00', currency: USD, interval: month } }
`;
const JANUARY = parseInstant('2026-01-15T10:00:00.123456Z');
const MARCH = parseInstant('2026-03-01T00:00:00Z');
const BY = { by: 'cli:test' };

function fileOf(text: string): CatalogFile {
  const reading = readCatalogText(text, 'acme.yaml');
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  return reading.file;
}
const dearer = fileOf(TEXT.replace('99.00', '119.00'));

let sql: Sql;
let store: CatalogStore;
beforeAll(async () => {
  sql = await openPgliteSql('memory://');
  await sql.migrate();
});
beforeEach(async () => {
  // Starting a store takes a second; only a test may lift what makes versions immutable.
  await sql.database.execute('alter table catalog_versions disable trigger user');
  await sql.database.delete(catalogVersions);
  await sql.database.execute('alter table catalog_versions enable trigger user');
  store = new CatalogStore(sql);
});
afterAll(async () => {
  await sql.close();
});

test('nothing is published at first', async () => {
  expect(await store.list()).toEqual([]);
  expect(await store.show()).toBeNull();
  expect(await store.inForce(JANUARY)).toBeNull();
  expect(catalogTables(await store.published()).catalog_plans.rows).toEqual([]);
});

test('the first version rules from the start, the second from when it is published', async () => {
  const first = await store.publish(fileOf(TEXT), BY, JANUARY);
  expect(first).toMatchObject({
    outcome: 'published',
    version: { version: 1n, effectiveFrom: null, publishedAt: JANUARY },
  });
  const second = await store.publish(dearer, BY, MARCH);
  expect(second).toMatchObject({
    outcome: 'published',
    version: { version: 2n, effectiveFrom: MARCH, effectiveTo: null },
  });

  expect(await store.list()).toMatchObject([{ version: 1n, effectiveTo: MARCH }, { version: 2n }]);
  expect((await store.inForce(MARCH - 1n))?.version).toBe(1n);
  expect((await store.inForce(MARCH))?.version).toBe(2n);
  expect((await store.inForce(0n))?.version).toBe(1n);
  expect(catalogTables(await store.published()).catalog_settings.rows).toMatchObject([
    { version: 1n, effective_from: null, effective_to: '2026-03-01 00:00:00' },
    { version: 2n, effective_from: '2026-03-01 00:00:00', effective_to: null },
  ]);
});

test('a file can say from when it rules, but not before a version that exists', async () => {
  await store.publish(fileOf(TEXT), BY, JANUARY);
  const inApril = fileOf(`${TEXT}effectiveFrom: 2026-04-01\n`);
  const { version } = await store.publish(inApril, BY, MARCH);
  expect(version.effectiveFrom).toBe(parseInstant('2026-04-01T00:00:00Z'));
  await expect(store.publish(dearer, BY, MARCH)).rejects.toMatchObject({
    code: 'catalog_invalid',
    message: expect.stringContaining('version 2 rules from 2026-04-01T00:00:00Z') as string,
  });
});

test('publishing what is published already changes nothing, comments and layout aside', async () => {
  await store.publish(fileOf(TEXT), BY, JANUARY);
  const again = await store.publish(fileOf(`# a comment\n${TEXT}`), BY, MARCH);
  expect(again).toMatchObject({ outcome: 'unchanged', version: { version: 1n, publishedAt: JANUARY } });
  expect(await store.list()).toHaveLength(1);
});

test('going back to an earlier content is a new version', async () => {
  await store.publish(fileOf(TEXT), BY, JANUARY);
  await store.publish(dearer, BY, MARCH);
  const back = await store.publish(fileOf(TEXT), BY, MARCH + 1n);
  expect(back.version.version).toBe(3n);
});

test('a published version is never replaced', async () => {
  await store.publish(fileOf(TEXT), BY, JANUARY);
  await store.publish(dearer, BY, MARCH);
  await expect(store.publish(dearer, { ...BY, as: 1n }, MARCH)).rejects.toMatchObject({
    code: 'catalog_version_immutable',
    message: 'catalog: version 1 is published and never changes; publish this as version 3',
  });
  expect(await store.publish(fileOf(TEXT), { ...BY, as: 1n }, MARCH)).toMatchObject({
    outcome: 'unchanged',
    version: { version: 1n, effectiveTo: MARCH },
  });
  await expect(store.publish(dearer, { ...BY, as: 9n }, MARCH)).rejects.toMatchObject({
    code: 'catalog_version_immutable',
  });
});

test('the database refuses to change or delete one', async () => {
  await store.publish(fileOf(TEXT), BY, JANUARY);
  const refusal = { cause: { message: expect.stringContaining('append-only') as string } };
  await expect(
    sql.database.update(catalogVersions).set({ source: '' }).where(eq(catalogVersions.version, 1n)),
  ).rejects.toMatchObject(refusal);
  await expect(sql.database.delete(catalogVersions)).rejects.toMatchObject(refusal);
});

test("another company's catalog does not continue this one's versions", async () => {
  await store.publish(fileOf(TEXT), BY, JANUARY);
  await expect(store.publish(fileOf(TEXT.replace('acme', 'other')), BY, MARCH)).rejects.toMatchObject({
    code: 'catalog_invalid',
    message: expect.stringContaining('use another data directory') as string,
  });
});

test('two publications at once become one version after the other', async () => {
  await store.publish(fileOf(TEXT), BY, JANUARY);
  const outcomes = await Promise.all([store.publish(dearer, BY, MARCH), store.publish(dearer, BY, MARCH)]);
  expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['published', 'unchanged']);
  expect(await store.list()).toHaveLength(2);
});

test('a version reads back as it was written, order and text included, in another process', async () => {
  await store.publish(fileOf(TEXT), BY, JANUARY);
  const shown = await new CatalogStore(sql).show(1n);
  expect(shown?.file.text).toBe(TEXT);
  expect(Object.keys(shown?.file.catalog.plans ?? {})).toEqual(['zeta', 'alpha']);
  expect(shown?.digest).toBe(digestOf(fileOf(TEXT).document));
});
