import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DASHBOARD_PAGES } from '../../api/dashboards/pages.js';
import { Random } from '../../fixtures/generator/random.js';
import { watchedPage } from '../support/chromium.js';
import { wrongNumbers } from '../support/linked-numbers.js';
import { NUMBERS_TABLES, type NumbersTable } from '../support/page-numbers.js';
import { filtersOf, ONE_CUSTOMER, optionsOf, PagesBed, type ServedCompany } from '../support/pages-bed.js';
import { testSeed } from '../support/test-seed.js';
import { answerOn, apiOf, openPage, TOUR, type Api } from '../support/tour.js';
import { wrongCells } from '../support/wrong-cells.js';

/*
 * What pages say is what the API says, in companies of all four catalogs, whatever the filters: figures with rows behind them, counts, and the
 * tables, those of charts among them.
 */
const SEED = testSeed();
const CATALOGS = ['fleetprompt', 'frontier', 'chatbot', 'nexus'] as const;
const TABLE_ROWS = 6;
/** Nothing here makes one: what is rated and what stands at Stripe are the same. */
const NEVER_FILLED = new Set([String(/^Breaks/)]);
const filled = new Set<NumbersTable>();

let bed: PagesBed;
beforeAll(async () => {
  bed = await PagesBed.open();
}, 900_000);
afterAll(() => bed.close());

describe.each(CATALOGS)('%s', (name) => {
  let served: ServedCompany;
  let founder: BrowserContext;
  beforeAll(async () => {
    served = await bed.serveCompany(name, SEED);
    founder = await bed.signIn(served, 'founder');
  }, 600_000);
  afterAll(async () => {
    await founder.close();
    await served.close();
  });

  test.each(DASHBOARD_PAGES)(
    '$title opens without a fault, and asks nobody else',
    async ({ path, title }) => {
      const { page, troubles } = await watchedPage(founder, served.url);
      await openPage(page, served.url, path);
      expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe(title);
      expect(await page.getByText(/is not here, or not for your role|Error in/).count()).toBe(0);
      expect(troubles).toEqual([]);
      await page.close();
    },
  );

  test.each([...DASHBOARD_PAGES, ONE_CUSTOMER])(
    '/$path: each figure with rows, each count and each table is what the API says, whatever the filters',
    async ({ path }) => {
      const random = new Random(SEED);
      const api = apiOf(served.url, await served.keyOf('founder'));
      const { page, troubles } = await watchedPage(founder, served.url);
      await openPage(page, served.url, path);
      const looked = await expectNumbersOf(page, { api, path, random });
      if (['', 'growth', 'activation', 'finance'].includes(path)) expect(looked).toBeGreaterThan(0);
      const chosen = path === ONE_CUSTOMER.path ? await anInvoiced(api) : await drawFilters(page, random);
      // By hand, one after the other, and then as a link has them.
      for (const [name, value] of Object.entries(chosen)) {
        const select = page.locator(`select[name=${name}]`);
        if ((await optionsOf(page, name)).includes(value)) await select.selectOption(value);
        await expectNumbersOf(page, { api, path, random });
      }
      await openPage(page, served.url, path, chosen);
      await expectNumbersOf(page, { api, path, random });
      expect(troubles).toEqual([]);
      await page.close();
    },
    300_000,
  );

  test.each(TOUR)('$question The page and the API say the same', async (asked) => {
    const { page } = await watchedPage(founder, served.url);
    await openPage(page, served.url, asked.path);
    const key = await served.keyOf('founder');
    expect(await answerOn(page, asked)).toEqual(await asked.fromApi(apiOf(served.url, key)));
    await page.close();
  });
});

test('each table had rows in one of them', () => {
  const empty = NUMBERS_TABLES.filter(
    (table) => !filled.has(table) && !NEVER_FILLED.has(String(table.under)),
  );
  expect(empty.map(({ path, under }) => `${path}: ${String(under)}`)).toEqual([]);
});

/** Who has something in each of a customer's tables. */
async function anInvoiced(api: Api): Promise<Record<string, string>> {
  const [[org = ''] = []] = await api.sql(
    'select org_id from ledger_invoices order by total_minor desc, org_id limit 1',
  );
  return { org };
}

/** Some of the page's filters with a value for each; at least one, where there is anything to choose. */
async function drawFilters(page: Page, random: Random): Promise<Record<string, string>> {
  const offered: (readonly [name: string, value: string])[] = [];
  for (const name of await filtersOf(page)) {
    const options = await optionsOf(page, name);
    if (options.length > 0) offered.push([name, random.pick(options)]);
  }
  const drawn = offered.filter(() => random.chance(600_000));
  if (drawn.length === 0 && offered.length > 0) drawn.push(random.pick(offered));
  return Object.fromEntries(drawn);
}

/** @returns how many numbers with rows behind them were looked at */
async function expectNumbersOf(
  page: Page,
  { api, path, random }: { readonly api: Api; readonly path: string; readonly random: Random },
): Promise<number> {
  let looked = 0;
  // The page may still be working; the same numbers are looked at until they are right.
  const seed = random.next();
  await expect
    .poll(
      async () => {
        const linked = await wrongNumbers(page, api, { random: new Random(seed), tableRows: TABLE_ROWS });
        const cells = await wrongCells(page, api, path);
        looked = linked.looked;
        for (const table of cells.filled) filled.add(table);
        return [...linked.wrong, ...cells.wrong];
      },
      { timeout: 60_000 },
    )
    .toEqual([]);
  return looked;
}
