import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { DASHBOARD_PAGES } from '../../api/dashboards/pages.js';
import { serve, type RunningServer } from '../../api/serve.js';
import { ensureSite } from '../../cli/dashboards/build-site.js';
import { systemClock } from '../../cli/runtime.js';
import { formatInstant, MICROS_PER_DAY, parseInstant, type Instant } from '../../core/time.js';
import type { Role } from '../../platform/key-scopes.js';
import { Random } from '../../fixtures/generator/random.js';
import { NOW, openApiTestBed, type ApiTestBed } from '../api-test-bed.js';
import { publishHandMadeRun } from '../hand-made-run.js';
import { openChromium, screenshotPath, watchedPage } from '../support/chromium.js';
import { wrongNumbers } from '../support/linked-numbers.js';
import { catalogFile, openCompany, simulate, SMALL, type TestCompany } from '../support/company.js';
import { factOfExecution, factOfSubscription } from '../support/hand-made-facts.js';
import { settled } from '../support/settled-page.js';
import { testSeed } from '../support/test-seed.js';
import { answerOn, apiOf, openPage, TOUR, type Api } from '../support/tour.js';

/*
 * The built pages in a real browser, over companies of all four catalogs: what they show is what the API answers, nothing of them needs
 * another host, and who may not see something does not get it.
 */
const SEED = testSeed();
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const CATALOGS = ['fleetprompt', 'frontier', 'chatbot', 'nexus'] as const;
const TABLE_ROWS = 6;
/** Below a page of the navigation. */
const ONE_CUSTOMER = { path: 'customers/org', title: 'Customers' };

let browser: Browser;
let site: string;
beforeAll(async () => {
  browser = await openChromium();
  site = (await ensureSite({ environment: process.env, onProgress: () => undefined })).directory;
}, 900_000);
afterAll(() => browser.close());

interface Served {
  readonly company: TestCompany;
  readonly server: RunningServer;
  readonly endsAt: Instant;
  keyOf(role: Role): Promise<string>;
}

async function serveCompany(name: string): Promise<Served> {
  const company = await openCompany();
  const file = await catalogFile(name);
  const { services } = company.runtime;
  await services.publishCatalog(file, 'test');
  const simulated = simulate(file.catalog, { ...SMALL, seed: SEED });
  await company.ingest(simulated.lines);
  const endsAt = parseInstant(simulated.endsAt);
  await company.transform(formatInstant(endsAt - MICROS_PER_DAY));
  const server = await serve({
    services: { ...services, dashboards: { ...services.dashboards, siteDirectory: site } },
    ...{ host: '127.0.0.1', port: 0, publishServer: () => Promise.resolve() },
  });
  const keyOf = async (role: Role) =>
    (await services.keys.create({ name: `a ${role}`, role }, 'test', systemClock())).secret;
  return { company, server, endsAt, keyOf };
}

async function signedIn(served: Served, role: Role, options: Parameters<Browser['newContext']>[0] = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await page.goto(`${served.server.url}/dashboards/sign-in`);
  await page.getByLabel('Your key').fill(await served.keyOf(role));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { level: 1 }).waitFor();
  await settled(page);
  await page.close();
  return context;
}

const addressOf = ({ server }: Served, path: string, query = ''): string =>
  `${server.url}/dashboards/${path}${path === '' ? '' : '/'}${query}`;

async function optionsOf(page: Page, name: string): Promise<string[]> {
  const options = await page.locator(`select[name=${name}] option`).all();
  const values = await Promise.all(options.map((option) => option.getAttribute('value')));
  return values.filter((value): value is string => value !== null && value !== 'all');
}

async function filtersOf(page: Page): Promise<string[]> {
  const names = await Promise.all(
    (await page.locator('select[name]').all()).map((select) => select.getAttribute('name')),
  );
  return names.filter((name) => name !== null);
}

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

describe.each(CATALOGS)('%s', (name) => {
  let served: Served;
  let founder: BrowserContext;
  beforeAll(async () => {
    served = await serveCompany(name);
    founder = await signedIn(served, 'founder');
  }, 600_000);
  afterAll(async () => {
    await founder.close();
    await served.server.stop(1_000);
    await served.company.remove();
  });

  test.each(DASHBOARD_PAGES)(
    '$title opens without a fault, and asks nobody else',
    async ({ path, title }) => {
      const { page, troubles } = await watchedPage(founder, served.server.url);
      await page.goto(addressOf(served, path));
      await settled(page);
      expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe(title);
      expect(await page.getByText(/is not here, or not for your role|Error in/).count()).toBe(0);
      expect(troubles).toEqual([]);
      await page.close();
    },
  );

  test.each(DASHBOARD_PAGES)(
    '$title: each number that opens its rows is what the API says, whatever the filters',
    async ({ path }) => {
      const random = new Random(SEED);
      const api = apiOf(served.server.url, await served.keyOf('founder'));
      const { page, troubles } = await watchedPage(founder, served.server.url);
      await page.goto(addressOf(served, path));
      await settled(page);
      await expectNumbersOf(api, page, random);
      const { looked } = await wrongNumbers(page, api, { random, tableRows: TABLE_ROWS });
      if (['', 'growth', 'activation', 'finance'].includes(path)) expect(looked).toBeGreaterThan(0);
      const chosen = new URLSearchParams();
      for (const name of await filtersOf(page)) {
        const options = await optionsOf(page, name);
        if (options.length > 0 && random.next() < 0.6) chosen.set(name, random.pick(options));
      }
      // By hand, one after the other, and then as a link has them.
      for (const [name, value] of chosen) {
        const select = page.locator(`select[name=${name}]`);
        if ((await optionsOf(page, name)).includes(value)) await select.selectOption(value);
        await expectNumbersOf(api, page, random);
      }
      await page.goto(addressOf(served, path, `?${chosen.toString()}`));
      await settled(page);
      await expectNumbersOf(api, page, random);
      expect(troubles).toEqual([]);
      await page.close();
    },
    300_000,
  );

  test.each(TOUR)('$question The page and the API say the same', async (asked) => {
    const { page } = await watchedPage(founder, served.server.url);
    await openPage(page, served.server.url, asked.path);
    const key = await served.keyOf('founder');
    expect(await answerOn(page, asked)).toEqual(await asked.fromApi(apiOf(served.server.url, key)));
    await page.close();
  });
});

/** Of a page that may still be working: until all of its numbers are right. */
async function expectNumbersOf(api: Api, page: Page, random: Random): Promise<void> {
  await expect
    .poll(async () => (await wrongNumbers(page, api, { random, tableRows: TABLE_ROWS })).wrong, {
      timeout: 30_000,
    })
    .toEqual([]);
}

describe('one company', () => {
  let served: Served;
  beforeAll(async () => {
    served = await serveCompany('fleetprompt');
  }, 600_000);
  afterAll(async () => {
    await served.server.stop(1_000);
    await served.company.remove();
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
      const context = await signedIn(served, 'founder', { viewport: { width, height: 900 }, colorScheme });
      for (const { path, title } of [...DASHBOARD_PAGES, ONE_CUSTOMER]) {
        const page = await context.newPage();
        await page.goto(addressOf(served, path));
        await settled(page);
        const overflow = z
          .number()
          .parse(await page.evaluate('document.documentElement.scrollWidth - innerWidth'));
        expect([title, overflow <= 0]).toEqual([title, true]);
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
    const context = await signedIn(served, 'partner_manager');
    const page = await context.newPage();
    await page.goto(addressOf(served, ''));
    await settled(page);
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
      const answer = await page.goto(addressOf(served, path));
      expect(answer?.status()).toBe(403);
      expect(await page.getByRole('heading').innerText()).toBe('This page is not for your key');
    }
    await context.close();
  });

  test('what an address asks for that is not a filter’s is left out; what nobody has is said', async () => {
    const context = await signedIn(served, 'founder');
    const { page, troubles } = await watchedPage(context, served.server.url);
    await page.goto(addressOf(served, 'packages', `?package=${encodeURIComponent("x') or 1=1 --")}`));
    await settled(page);
    expect(await page.locator('select[name=package]').inputValue()).toBe('all');
    await page.goto(addressOf(served, 'packages', '?package=nothing_like_it'));
    await settled(page);
    expect(await page.locator('select[name=package]').innerText()).toContain(
      'nothing_like_it (there is none)',
    );
    expect(troubles).toEqual([]);
    await context.close();
  });

  test('what is loaded goes on without a network: filters answer, and what was not loaded says so', async () => {
    const context = await signedIn(served, 'founder');
    const page = await context.newPage();
    await page.goto(addressOf(served, 'growth'));
    await settled(page);
    const before = await page.locator('[data-figure=mrr]').innerText();
    await context.setOffline(true);
    const [, month = ''] = await optionsOf(page, 'month');
    await page.locator('select[name=month]').selectOption(month);
    await expect.poll(() => page.locator('[data-figure=mrr]').innerText()).not.toBe(before);
    await context.setOffline(false);
    const api = apiOf(served.server.url, await served.keyOf('founder'));
    await expectNumbersOf(api, page, new Random(SEED));
    await context.close();
  });

  test('a page is saved as a picture, with its date in the name', async () => {
    const context = await signedIn(served, 'founder');
    const { page, troubles } = await watchedPage(context, served.server.url);
    await page.goto(addressOf(served, ''));
    await settled(page);
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
    const context = await signedIn(served, 'founder');
    const { page, troubles } = await watchedPage(context, served.server.url);
    await page.goto(addressOf(served, ''));
    await settled(page);
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
    const context = await signedIn(served, 'founder');
    const { page, troubles } = await watchedPage(context, served.server.url);
    await page.goto(addressOf(served, 'customers'));
    await settled(page);
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
    const context = await signedIn(served, 'founder');
    const page = await context.newPage();
    await page.goto(addressOf(served, ''));
    await settled(page);
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
    const context = await signedIn(served, 'founder');
    const page = await context.newPage();
    await page.goto(addressOf(served, ''));
    await settled(page);
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
    const context = await signedIn(served, 'founder');
    const page = await context.newPage();
    await page.goto(addressOf(served, ''));
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Your key').waitFor();
    await page.goto(addressOf(served, 'growth'));
    expect(page.url()).toContain('/dashboards/sign-in?to=');
    await context.close();
  });
});

interface HandMade {
  readonly bed: ApiTestBed;
  readonly server: RunningServer;
  /** Signed in as a founder. */
  readonly context: BrowserContext;
  readonly close: () => Promise<void>;
}

/** Marts as a test wrote them down, served, and somebody called `name` who reads them. */
async function serveHandMade(
  rows: Parameters<typeof publishHandMadeRun>[1]['rows'],
  name: string,
): Promise<HandMade> {
  const bed = await openApiTestBed();
  const { services } = bed.runtime;
  await publishHandMadeRun(bed.runtime, {
    ...{ asOf: NOW, rows },
    facts: {
      billing: [factOfSubscription('org_a', 'pro', '2026-05-20')],
      executions: [factOfExecution('org_a', 'seven', '2026-05-21', '7')],
    },
  });
  const server = await serve({
    services: { ...services, dashboards: { ...services.dashboards, siteDirectory: site } },
    ...{ host: '127.0.0.1', port: 0, publishServer: () => Promise.resolve() },
  });
  const { secret } = await services.keys.create({ name, role: 'founder' }, 'test', NOW);
  const context = await browser.newContext({ viewport: { width: 360, height: 800 } });
  const page = await context.newPage();
  await page.goto(`${server.url}/dashboards/sign-in#${secret}`);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { level: 1 }).waitFor();
  await settled(page);
  await page.close();
  return {
    ...{ bed, server, context },
    close: async () => {
      await context.close();
      await server.stop(1_000);
      await bed.close();
    },
  };
}

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
    const { server, context, close } = await serveHandMade({ org_months: orgs }, EVIL);
    const { page, troubles } = await watchedPage(context, server.url);
    for (const { path, title } of DASHBOARD_PAGES) {
      await openPage(page, server.url, path);
      expect(await page.title()).toBe(title);
      expect(await page.locator('footer').innerText()).toContain(`signed in as ${EVIL}`);
      const overflow = z
        .number()
        .parse(await page.evaluate('document.documentElement.scrollWidth - innerWidth'));
      expect([title, overflow <= 0]).toEqual([title, true]);
    }
    await openPage(page, server.url, 'customers');
    const text = await page.locator('article').innerText();
    for (const name of [EVIL, LONG, HEBREW, '90,071,992,547,409.91 USD', '-0.01 USD'])
      expect(text).toContain(name);
    expect(troubles).toEqual([]);
    await close();
  }, 180_000);

  test('one customer in one month: its numbers, and nothing to compare them with', async () => {
    const total = { dimension: 'all', member: 'all' };
    const month = { ...MAY, ...total, open_minor: 0, close_minor: 4900, new_minor: 4900, arr_minor: 58_800 };
    const { server, context, close } = await serveHandMade(
      { org_months: [customer('org_a', 4900n)], mrr_months: [{ ...month, customers_close: 1 }] },
      'a founder',
    );
    const { page, troubles } = await watchedPage(context, server.url);
    await openPage(page, server.url, '');
    expect(await page.locator('[data-figure=mrr]').innerText()).toBe('$49.00');
    expect(await page.locator('[data-figure=customers]').innerText()).toBe('1');
    expect(await page.locator('[data-figure=nrr]').innerText()).toMatch(/^[–…]$/);
    expect(await page.locator('.moved').count()).toBe(0);
    await openPage(page, server.url, 'growth');
    expect(await page.locator('[data-figure=arr]').innerText()).toBe('$588.00');
    expect(troubles).toEqual([]);
    await close();
  }, 180_000);

  test('five thousand customers: the first are shown, and any is found', async () => {
    const names = Array.from({ length: 5_000 }, (_, index) => `org_${String(index).padStart(4, '0')}`);
    const orgs = names.map((name, index) => customer(name, BigInt(index)));
    const { server, context, close } = await serveHandMade({ org_months: orgs }, 'a founder');
    const { page, troubles } = await watchedPage(context, server.url);
    await openPage(page, server.url, 'customers');
    const all = page.getByRole('heading', { level: 2, name: 'All customers' });
    const table = all.locator('xpath=following::table').filter({ visible: true }).first();
    expect(await table.locator('tr:has(td)').first().innerText()).toContain('org_4999');
    expect(await table.locator('tr:has(td)').count()).toBeLessThan(30);
    await page.getByPlaceholder('Search').last().fill('org_0007');
    await expect
      .poll(() => table.locator('tr:has(td)').first().innerText(), { timeout: 30_000 })
      .toContain('0.07 USD');
    await page.goto(`${server.url}/dashboards/customers/org/?org=org_0123`);
    await settled(page);
    expect(await page.locator('select[name=org]').inputValue()).toBe('org_0123');
    expect(await page.locator('[data-figure=mrr_minor]').innerText()).toBe('$1.23');
    expect(troubles).toEqual([]);
    await close();
  }, 300_000);
});
