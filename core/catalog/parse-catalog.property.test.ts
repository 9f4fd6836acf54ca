import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseCatalog } from '../catalog.js';
import { catalogTables } from '../catalog-tables.js';
import { exampleDocument, exampleWith } from './catalog-example.js';
import { valueAt } from './problems.js';

/** Every path in a document, outermost first. */
function pathsOf(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => [
    [...path, key],
    ...pathsOf(member, [...path, key]),
  ]);
}
const anyPath = fc.constantFrom(...pathsOf(exampleDocument()));

test('any value at all is answered with a catalog or with problems, never with an exception', () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withNullPrototype: true }), (value) => {
      const result = parseCatalog(value);
      return result.ok || result.problems.length > 0;
    }),
  );
});

test('whatever stands in one place: problems name a place in or around it, or the tables can be made', () => {
  fc.assert(
    fc.property(anyPath, fc.jsonValue(), (path, value) => {
      const document = exampleWith(path, value);
      const result = parseCatalog(document);
      if (result.ok) {
        catalogTables([{ version: 1n, catalog: result.catalog, effectiveFrom: null, effectiveTo: null }]);
        return;
      }
      for (const problem of result.problems) {
        expect(problem.message.length).toBeGreaterThan(0);
        // All but the last step exist, so that a line and a column can be given.
        expect(valueAt(document, problem.path.slice(0, -1)), problem.path.join('.')).toBeDefined();
      }
    }),
    { numRuns: 500 },
  );
});

test('taking one field away never gives a catalog whose tables can not be made', () => {
  for (const path of pathsOf(exampleDocument())) {
    const result = parseCatalog(exampleWith(path, undefined));
    if (!result.ok) continue;
    catalogTables([{ version: 1n, catalog: result.catalog, effectiveFrom: null, effectiveTo: null }]);
  }
});
