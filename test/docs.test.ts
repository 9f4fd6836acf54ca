import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { METRIC_UNITS } from '../core/catalog/metric-names.js';
import { eventsPage } from '../core/events/reference-page.js';
import { packagePath } from '../platform/package-path.js';
import { definitionsFile, exponentsFile, metricsPage } from '../transforms/metric-docs.js';
import { metrics } from '../transforms/metric-registry.js';

/** Pages that are generated. `UPDATE_DOCS=1 npx vitest run test/docs.test.ts` writes them. */
const PAGES = [
  { file: 'docs/metrics.md', text: () => metricsPage(metrics) },
  { file: 'docs/events.md', text: eventsPage },
  { file: 'dashboards/definitions.json', text: () => definitionsFile(metrics) },
  { file: 'dashboards/exponents.json', text: exponentsFile },
];

test.each(PAGES)('$file says what the code says', ({ file, text }) => {
  const path = packagePath(file);
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(path, text());
  expect(readFileSync(path, 'utf8')).toBe(text());
});

test('every file that a page of the repository links to is there', () => {
  const missing = ['README.md', 'CONTRIBUTING.md', 'docs/architecture.md'].flatMap((page) =>
    [...readFileSync(packagePath(page), 'utf8').matchAll(/\]\((?!https?:)([^)#]+)/g)]
      .map((match) => new URL(match[1] ?? '', `file://${packagePath(page)}`).pathname)
      .filter((target) => !existsSync(target)),
  );
  expect(missing).toEqual([]);
});

test('metric names are unique, and units agree with those that targets are written in', () => {
  const names = metrics.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const units: Readonly<Record<string, string>> = METRIC_UNITS;
  const differing = metrics
    .filter(({ name, unit }) => name in units && units[name] !== unit)
    .map(({ name }) => name);
  expect(differing).toEqual([]);
});
