import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PageEngine, tablesIn } from '../../api/dashboards/page-engine.js';
import {
  DASHBOARD_PAGES,
  DASHBOARD_TABLES,
  pageAt,
  type DashboardTableName,
} from '../../api/dashboards/pages.js';
import { TableFiles, type TableFile, type TablesByName } from '../../api/dashboards/table-files.js';
import { NOW, openApiTestBed, type ApiTestBed } from '../api-test-bed.js';
import { publishHandMadeRun } from '../hand-made-run.js';
import { SMALL_RUN } from '../small-run.js';
import { factOfExecution, factOfSubscription } from '../support/hand-made-facts.js';
import { dashboardPages, filtersOf, queriesOf } from '../support/page-queries.js';

/*
 * What pages ask, without a browser: every query of every page runs over the tables that the page may have, whatever is in them.
 */
const engine = new PageEngine();
const fail = (what: string): never => {
  throw new Error(what);
};
const pages = dashboardPages();
const FACTS = {
  billing: [factOfSubscription('org_a', 'pro', '2026-05-20')],
  executions: [factOfExecution('org_a', 'seven', '2026-05-21', '7')],
};

let beds: ApiTestBed[];
let directory: string;
let tables: Record<'small' | 'empty', TablesByName>;

beforeAll(async () => {
  beds = [await openApiTestBed(), await openApiTestBed()];
  directory = mkdtempSync(join(tmpdir(), 'headgate-pages-'));
  const [small, empty] = await Promise.all(
    beds.map(async (bed, index) => {
      await publishHandMadeRun(bed.runtime, { asOf: NOW, rows: index === 0 ? SMALL_RUN : {}, facts: FACTS });
      return tablesOf(bed, String(index));
    }),
  );
  if (small === undefined || empty === undefined) throw new Error('there are two companies');
  tables = { small, empty };
});
afterAll(async () => {
  await Promise.all(beds.map((bed) => bed.close()));
  rmSync(directory, { recursive: true });
});

async function tablesOf(bed: ApiTestBed, folder: string): Promise<TablesByName> {
  const { services } = bed.runtime;
  const run = await services.runs.choose({});
  const files = new TableFiles(services, join(directory, folder), engine);
  const all = new Map<string, TableFile>();
  for (const name of Object.keys(DASHBOARD_TABLES) as DashboardTableName[]) {
    const isNow = DASHBOARD_TABLES[name].of === 'now';
    all.set(name, await (isNow ? files.now(run, name, NOW) : files.ofRun(run, name)));
  }
  return all;
}

test('each page is in the navigation, and the navigation leads to pages', () => {
  const inNavigation = pages.filter(({ path }) => !path.includes('/')).map(({ path }) => path);
  expect(inNavigation.sort()).toEqual(DASHBOARD_PAGES.map(({ path }) => path).sort());
  expect(pages.filter(({ path }) => pageAt(path) === undefined)).toEqual([]);
});

test.each(DASHBOARD_PAGES)(
  '$title reads, with the pages below it, the tables by which it is decided who may open it, and no others',
  ({ path, tables: declared }) => {
    const own = pages.filter((page) => pageAt(page.path)?.path === path);
    const read = new Set(own.flatMap((page) => queriesOf(page)).flatMap(({ sql }) => tablesIn(sql)));
    expect([...read].sort()).toEqual([...declared].sort());
  },
);

test('a query that names what a run has not is told and left to the page, and the others are answered', async () => {
  const [good, bad] = [
    'select count(*) as n from headgate.mrr_months',
    'select nothing from headgate.mrr_months',
  ];
  const missing: string[] = [];
  const answers = await engine.answers([bad, good], tables.empty, (what) => missing.push(what));
  expect(answers).toEqual({ [good]: { columns: [['n', 'BIGINT']], rows: [[0]] } });
  expect(missing).toEqual([expect.stringMatching(/^Binder Error: .*"nothing"/)]);
});

test('what the engine refuses for another reason is thrown, and no answer is kept', async () => {
  const [good, bad] = ['select 1 as n', "select cast('x' as integer)"];
  await expect(engine.answers([bad, good], tables.empty, fail)).rejects.toThrow(/Conversion Error/);
});

describe.each(pages)('the page /$path', (page) => {
  test('has the title that the navigation says', () => {
    expect(/^title: (.*)$/m.exec(page.text)?.[1]).toBe(pageAt(page.path)?.title);
  });

  test.each(['small', 'empty'] as const)(
    'asks what the engine answers, of a company that is %s',
    async (company) => {
      const queries = queriesOf(page).map(({ sql }) => sql);
      const answers = await engine.answers(queries, tables[company], fail);
      expect(Object.keys(answers)).toHaveLength(new Set(queries).size);
      expect(Object.values(answers).every(({ columns }) => columns.length > 0)).toBe(true);
    },
  );

  test('and with any filter set, to what there is and to what there is not', async () => {
    for (const filter of filtersOf(page)) {
      const source = new RegExp(`<Filter name="${filter}" title="[^"]*" data={(\\w+)}`).exec(page.text)?.[1];
      const options = queriesOf(page).find(({ name }) => name === source);
      if (options === undefined) throw new Error(`filter ${filter} has no query`);
      const answered = await engine.answers([options.sql], tables.small, fail);
      const values = (answered[options.sql]?.rows ?? []).map(([value]) => String(value)).slice(0, 3);
      for (const value of [...values, "no such'thing"]) {
        const queries = queriesOf(page, { [filter]: value }).map(({ sql }) => sql);
        await expect(engine.answers(queries, tables.small, fail)).resolves.toBeDefined();
      }
    }
  });
});
