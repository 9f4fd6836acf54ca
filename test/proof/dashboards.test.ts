import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { DASHBOARD_PAGES, pageAt } from '../../api/dashboards/pages.js';
import { Random } from '../../fixtures/generator/random.js';
import { screenshotPath, watchedPage } from '../support/chromium.js';
import { wrongNumbers } from '../support/linked-numbers.js';
import { ONE_CUSTOMER, optionsOf, overflowOf, PagesBed, type ServedCompany } from '../support/pages-bed.js';
import { settled } from '../support/settled-page.js';
import { testSeed } from '../support/test-seed.js';
import { apiOf, openPage } from '../support/tour.js';
import { wrongCells } from '../support/wrong-cells.js';

/*
 * The built pages in a real browser: nothing of them needs another host, who may not see something does not get it, and whatever stands in
 * the data is shown as what it is.
 */
const SEED = testSeed();
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What the engine in the browser is made of. */
const WITHOUT_A_NETWORK = ['duckdb-eh', 'duckdb-browser-eh', 'arrow1_bg'];

let bed: PagesBed;
beforeAll(async () => {
  bed = await PagesBed.open();
}, 900_000);
afterAll(() => bed.close());

const Violations = z.array(
  z.object({ id: z.string(), impact: z.string(), nodes: z.array(z.object({ html: z.string() })) }),
);

/** What axe-core finds serious on the page, in words. */
async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const found = Violations.parse(await page.evaluate('axe.run().then(({ violations }) => violations)'));
  return found
    .filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`);
}

describe('one company', () => {
  let served: ServedCompany;
  beforeAll(async () => {
    served = await bed.serveCompany('fleetprompt', SEED);
  }, 600_000);
  afterAll(async () => {
    await served.close();
  });

  test.each([
    [360, 'light'],
    [360, 'dark'],
    [768, 'light'],
    [1440, 'light'],
    [1440, 'dark'],
  ] as const)(
    'at %i pixels, %s: nothing overflows, and nothing serious stands in the way of anybody',
    async (width, colorScheme) => {
      const context = await bed.signIn(served, 'founder', { viewport: { width, height: 900 }, colorScheme });
      for (const { path, title } of [...DASHBOARD_PAGES, ONE_CUSTOMER]) {
        const page = await context.newPage();
        await openPage(page, served.url, path);
        expect([title, await overflowOf(page)]).toEqual([title, 0]);
        expect([title, await seriousFindings(page)]).toEqual([title, []]);
        await page.screenshot({
          path: screenshotPath(`${path.replaceAll('/', '-') || 'overview'}-${width}-${colorScheme}`),
          fullPage: true,
        });
        await page.close();
      }
      await context.close();
    },
    300_000,
  );

  test('a partner manager is offered no page with margins, and gets none by its address', async () => {
    const context = await bed.signIn(served, 'partner_manager');
    const page = await context.newPage();
    await openPage(page, served.url, '');
    const offered = await page.locator('nav a').allInnerTexts();
    expect(offered).toEqual([
      'Overview',
      'Growth',
      'Activation',
      'Packages',
      'Partners',
      'Targets',
      'Definitions',
      'Data quality',
    ]);
    for (const path of ['customers', 'finance', 'sales']) {
      const answer = await page.goto(`${served.url}/dashboards/${path}/`);
      expect(answer?.status()).toBe(403);
      expect(await page.getByRole('heading').innerText()).toBe('This page is not for your key');
    }
    await context.close();
  });

  test('what an address asks for that is not a filter’s is left out; what nobody has is said', async () => {
    const context = await bed.signIn(served, 'founder');
    const { page, troubles } = await watchedPage(context, served.url);
    await openPage(page, served.url, 'packages', { package: "x') or 1=1 --" });
    expect(await page.locator('select[name=package]').inputValue()).toBe('all');
    await openPage(page, served.url, 'packages', { package: 'nothing_like_it' });
    expect(await page.locator('select[name=package]').innerText()).toContain(
      'nothing_like_it (there is none)',
    );
    expect(troubles).toEqual([]);
    await context.close();
  });

  test('what is loaded goes on without a network: filters answer, and what was not loaded says so', async () => {
    const context = await bed.signIn(served, 'founder');
    const page = await context.newPage();
    const arrived: string[] = [];
    page.on('requestfinished', (request) => arrived.push(request.url()));
    await openPage(page, served.url, 'growth');
    const before = await page.locator('[data-figure=mrr]').innerText();
    const needed = [
      ...WITHOUT_A_NETWORK,
      ...(pageAt('growth')?.tables ?? []).map((name) => `/${name}.parquet`),
    ];
    await expect
      .poll(() => needed.filter((name) => !arrived.some((url) => url.includes(name))), { timeout: 30_000 })
      .toEqual([]);
    await context.setOffline(true);
    const [, month = ''] = await optionsOf(page, 'month');
    await page.locator('select[name=month]').selectOption(month);
    await expect.poll(() => page.locator('[data-figure=mrr]').innerText()).not.toBe(before);
    await context.setOffline(false);
    const api = apiOf(served.url, await served.keyOf('founder'));
    const all = { random: new Random(SEED), tableRows: 6 };
    await expect
      .poll(async () => (await wrongNumbers(page, api, all)).wrong, { timeout: 30_000 })
      .toEqual([]);
    await context.close();
  });

  test('a page is saved as a picture, with its date in the name', async () => {
    const context = await bed.signIn(served, 'founder');
    const { page, troubles } = await watchedPage(context, served.url);
    await openPage(page, served.url, '');
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save as picture' }).click();
    const picture = await download;
    expect(picture.suggestedFilename()).toMatch(/^headgate-overview-\d{4}-\d{2}-\d{2}\.png$/);
    const bytes = readFileSync(await picture.path());
    expect(bytes.subarray(1, 4).toString()).toBe('PNG');
    // Width and height stand in the header: the whole page at twice its size.
    expect(bytes.readUInt32BE(16)).toBeGreaterThan(1_000);
    expect(bytes.readUInt32BE(20)).toBeGreaterThan(1_500);
    expect(troubles).toEqual([]);
    await context.close();
  });

  test('charts say what they show where a pointer is, in their own style and under the policy', async () => {
    const context = await bed.signIn(served, 'founder');
    const { page, troubles } = await watchedPage(context, served.url);
    await openPage(page, served.url, '');
    const chart = page.locator('.chart canvas').first();
    await chart.scrollIntoViewIfNeeded();
    const box = await chart.boundingBox();
    await page.mouse.move((box?.x ?? 0) + (box?.width ?? 0) / 2, (box?.y ?? 0) + (box?.height ?? 0) / 2, {
      steps: 3,
    });
    await expect.poll(() => page.locator('.chart').first().innerText()).toMatch(/\d/);
    expect(troubles).toEqual([]);
    await context.close();
  });

  test('a customer has a page of its own, that its name leads to', async () => {
    const context = await bed.signIn(served, 'founder');
    const { page, troubles } = await watchedPage(context, served.url);
    await openPage(page, served.url, 'customers');
    const link = page.locator('a[href*="/customers/org/?org="]').last();
    const name = (await link.innerText()).trim();
    await link.click();
    await expect.poll(() => page.locator('select[name=org]').inputValue()).toBe(name);
    await settled(page);
    const rows = page.getByRole('heading', { name: 'Months', exact: true });
    const table = rows.locator('xpath=following::table').filter({ visible: true }).first();
    expect(await table.locator('tr:has(td)').count()).toBeGreaterThan(0);
    expect(troubles).toEqual([]);
    await context.close();
  });

  test('rows open from a number, of the run that the page shows', async () => {
    const context = await bed.signIn(served, 'founder');
    const page = await context.newPage();
    await openPage(page, served.url, '');
    const run = /run_\w+/.exec(await page.locator('footer').innerText())?.[0] ?? '';
    const mrr = await page.locator('[data-figure=mrr]').innerText();
    await page.getByRole('link', { name: 'Rows behind MRR', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'MRR' }).waitFor();
    expect(await page.locator('.sum').first().innerText()).toBe(mrr);
    expect(await page.locator('.where').innerText()).toContain(run);
    expect(await seriousFindings(page)).toEqual([]);
    await context.close();
  });

  test('a page that is open says when there is a newer run, and then shows it', async () => {
    const context = await bed.signIn(served, 'founder');
    const page = await context.newPage();
    await openPage(page, served.url, '');
    const before = await page.locator('footer').innerText();
    const later = await served.company.runtime.services.transform({ asOf: served.endsAt });
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
    await page.getByText('Newer figures are there.').waitFor();
    expect(await page.locator('footer').innerText()).toBe(before);
    await page.getByRole('link', { name: 'Show them' }).click();
    await expect.poll(() => page.locator('footer').innerText()).toContain(later.runId);
    await context.close();
  }, 300_000);

  test('who signs out is out', async () => {
    const context = await bed.signIn(served, 'founder');
    const page = await context.newPage();
    await page.goto(`${served.url}/dashboards/`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Your key').waitFor();
    await page.goto(`${served.url}/dashboards/growth/`);
    expect(page.url()).toContain('/dashboards/sign-in?to=');
    await context.close();
  });
});

const PHONE = { viewport: { width: 360, height: 800 } };
const MAY = { month: '2026-05-01', currency: 'USD', is_complete: true };

/** A customer's month. */
const customer = (orgId: string, mrr: bigint) => ({
  ...MAY,
  ...{ org_id: orgId, name: orgId, plan_id: orgId, segment: 'smb' },
  ...{ mrr_minor: mrr, revenue_minor: mrr, margin_minor: -mrr },
  ...{ active_installs: 0, executions: 0, cost_micros: 0 },
});

describe('whatever stands in the data', () => {
  const EVIL = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
  const LONG = 'a'.repeat(180);
  const HEBREW = 'שלום עולם';

  test('names are text, numbers are whole, and pages without data say so', async () => {
    const orgs = [customer(EVIL, 9_007_199_254_740_991n), customer(LONG, -1n), customer(HEBREW, 0n)];
    const served = await bed.serveHandMade({ rows: { org_months: orgs } });
    const context = await bed.signIn(served, 'founder', { name: EVIL, ...PHONE });
    const { page, troubles } = await watchedPage(context, served.url);
    for (const { path, title } of DASHBOARD_PAGES) {
      await openPage(page, served.url, path);
      expect(await page.title()).toBe(title);
      expect(await page.locator('footer').innerText()).toContain(`signed in as ${EVIL}`);
      expect([title, await overflowOf(page)]).toEqual([title, 0]);
    }
    await openPage(page, served.url, 'customers');
    const text = await page.locator('article').innerText();
    for (const name of [EVIL, LONG, HEBREW, '90,071,992,547,409.91 USD', '-0.01 USD'])
      expect(text).toContain(name);
    expect(troubles).toEqual([]);
    await context.close();
    await served.close();
  }, 180_000);

  test('one customer in one month: its numbers, and nothing to compare them with', async () => {
    const total = { dimension: 'all', member: 'all' };
    const month = { ...MAY, ...total, open_minor: 0, close_minor: 4900, new_minor: 4900, arr_minor: 58_800 };
    const served = await bed.serveHandMade({
      rows: { org_months: [customer('org_a', 4900n)], mrr_months: [{ ...month, customers_close: 1 }] },
    });
    const context = await bed.signIn(served, 'founder', PHONE);
    const { page, troubles } = await watchedPage(context, served.url);
    await openPage(page, served.url, '');
    expect(await page.locator('[data-figure=mrr]').innerText()).toBe('$49.00');
    expect(await page.locator('[data-figure=customers]').innerText()).toBe('1');
    expect(await page.locator('[data-figure=nrr]').innerText()).toMatch(/^[–…]$/);
    expect(await page.locator('.moved').count()).toBe(0);
    await openPage(page, served.url, 'growth');
    expect(await page.locator('[data-figure=arr]').innerText()).toBe('$588.00');
    expect(troubles).toEqual([]);
    await context.close();
    await served.close();
  }, 180_000);

  test('yen have no digits behind the point, and dinars three', async () => {
    const total = { month: '2026-05-01', is_complete: true, dimension: 'all', member: 'all' };
    const inCurrency = (currency: string, minor: bigint) => ({
      ...total,
      ...{ currency, open_minor: 0, new_minor: minor, close_minor: minor, arr_minor: minor * 12n },
    });
    const served = await bed.serveHandMade({
      rows: {
        mrr_months: [inCurrency('JPY', 4_900n), inCurrency('KWD', 1_234_567n)],
        org_months: [
          { ...customer('org_yen', 4_900n), currency: 'JPY' },
          { ...customer('org_dinar', 1_234_567n), currency: 'KWD' },
        ],
      },
    });
    const context = await bed.signIn(served, 'founder', PHONE);
    const api = apiOf(served.url, await served.keyOf('founder'));
    const { page, troubles } = await watchedPage(context, served.url);
    await openPage(page, served.url, '', { currency: 'JPY' });
    expect(await page.locator('[data-figure=mrr]').innerText()).toBe('¥4,900');
    await expect.poll(async () => (await wrongCells(page, api, '')).wrong, { timeout: 30_000 }).toEqual([]);
    await openPage(page, served.url, '', { currency: 'KWD' });
    expect(await page.locator('[data-figure=mrr]').innerText()).toBe('KWD\u00a01,234.567');
    await expect.poll(async () => (await wrongCells(page, api, '')).wrong, { timeout: 30_000 }).toEqual([]);
    await openPage(page, served.url, 'customers');
    await expect
      .poll(async () => (await wrongCells(page, api, 'customers')).wrong, { timeout: 30_000 })
      .toEqual([]);
    expect(await page.locator('article').innerText()).toContain('1,234.567 KWD');
    expect(troubles).toEqual([]);
    await context.close();
    await served.close();
  }, 180_000);

  describe('a run of another version', () => {
    const SAYS = /run_\w+ was made by another version.*headgate transform/s;
    const month = { ...MAY, dimension: 'all', member: 'all', open_minor: 0, close_minor: 4900 };

    test.each([
      ['customers_close', 'one part of the page says so, and the rest is there', '$49.00'],
      ['is_complete', 'a page that finds no month by it says so, in its frame', null],
    ])(
      'without %s: %s',
      async (column, _, mrr) => {
        const served = await bed.serveHandMade({
          rows: { mrr_months: [month] },
          without: { mrr_months: [column] },
        });
        const context = await bed.signIn(served, 'founder', PHONE);
        const { page, troubles } = await watchedPage(context, served.url);
        await page.goto(`${served.url}/dashboards/growth/`);
        await page.getByText(SAYS).first().waitFor();
        await expect.poll(() => page.locator('article').innerText()).toContain(column);
        if (mrr !== null) {
          await settled(page);
          expect(await page.locator('[data-figure=mrr]').innerText()).toBe(mrr);
          const customers = page.locator('figure', { hasText: 'Paying customers' });
          expect(await customers.locator('.error').innerText()).toMatch(SAYS);
          expect(await customers.locator('[data-figure]').count()).toBe(0);
        }
        expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('Growth');
        expect(await page.locator('nav a').count()).toBe(DASHBOARD_PAGES.length);
        expect(await overflowOf(page)).toBe(0);
        await page.screenshot({ path: screenshotPath(`without-${column}`), fullPage: true });
        // The console says the same, and nothing else.
        expect(troubles.filter((one) => !SAYS.test(one))).toEqual([]);
        await context.close();
        await served.close();
      },
      180_000,
    );
  });

  test('five thousand customers: the first are shown, and any is found', async () => {
    const names = Array.from({ length: 5_000 }, (_, index) => `org_${String(index).padStart(4, '0')}`);
    const orgs = names.map((name, index) => customer(name, BigInt(index)));
    const served = await bed.serveHandMade({ rows: { org_months: orgs } });
    const context = await bed.signIn(served, 'founder', PHONE);
    const { page, troubles } = await watchedPage(context, served.url);
    await openPage(page, served.url, 'customers');
    const all = page.getByRole('heading', { level: 2, name: 'All customers' });
    const table = all.locator('xpath=following::table').filter({ visible: true }).first();
    expect(await table.locator('tr:has(td)').first().innerText()).toContain('org_4999');
    expect(await table.locator('tr:has(td)').count()).toBeLessThan(30);
    await page.getByPlaceholder('Search').last().fill('org_0007');
    await expect
      .poll(() => table.locator('tr:has(td)').first().innerText(), { timeout: 30_000 })
      .toContain('0.07 USD');
    await openPage(page, served.url, 'customers/org', { org: 'org_0123' });
    expect(await page.locator('select[name=org]').inputValue()).toBe('org_0123');
    expect(await page.locator('[data-figure=mrr_minor]').innerText()).toBe('$1.23');
    expect(troubles).toEqual([]);
    await context.close();
    await served.close();
  }, 300_000);
});
