import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { z } from 'zod';
import { serve, type RunningServer } from '../../api/serve.js';
import type { Services } from '../../api/services.js';
import { ensureSite } from '../../cli/dashboards/build-site.js';
import { formatInstant, MICROS_PER_DAY, parseInstant, type Instant } from '../../core/time.js';
import type { Role } from '../../platform/key-scopes.js';
import { NOW, openApiTestBed } from '../api-test-bed.js';
import { publishHandMadeRun, type HandMadeRun } from '../hand-made-run.js';
import { billLastMonth } from './bill-month.js';
import { openChromium } from './chromium.js';
import { catalogFile, openCompany, simulate, SMALL, type TestCompany } from './company.js';
import { factOfExecution, factOfSubscription } from './hand-made-facts.js';
import { startTestStripe } from './local-stripe.js';
import { settled } from './settled-page.js';

/** A company whose pages are served. */
export interface ServedPages {
  readonly url: string;
  /** @param name whose it is */
  keyOf(role: Role, name?: string): Promise<string>;
  close(): Promise<void>;
}

/** One that a simulation made, with all its events. */
export interface ServedCompany extends ServedPages {
  readonly company: TestCompany;
  readonly endsAt: Instant;
}

/** Below a page of the navigation. */
export const ONE_CUSTOMER = { path: 'customers/org', title: 'Customers' };

/** A real browser, the built pages, and companies to open them on. */
export class PagesBed {
  private constructor(
    readonly browser: Browser,
    private readonly siteDirectory: string,
  ) {}

  /** Builds the pages first, where this version of them is not built yet: minutes. */
  static async open(): Promise<PagesBed> {
    const browser = await openChromium();
    const site = await ensureSite({ environment: process.env, onProgress: () => undefined });
    return new PagesBed(browser, site.directory);
  }

  /** @param catalog of which plan; its last whole month is billed, and its last day left for a later run */
  async serveCompany(catalog: string, seed: number): Promise<ServedCompany> {
    const stripe = await startTestStripe();
    const company = await openCompany(undefined, {
      STRIPE_SECRET_KEY: stripe.secretKey,
      HEADGATE_STRIPE_URL: stripe.url,
    });
    const file = await catalogFile(catalog);
    await company.runtime.services.publishCatalog(file, 'test');
    const simulated = simulate(file.catalog, { ...SMALL, seed });
    await company.ingest(simulated.lines);
    const endsAt = parseInstant(simulated.endsAt);
    await company.transform(formatInstant(endsAt - MICROS_PER_DAY));
    await billLastMonth(company.runtime.services, stripe);
    const pages = await this.servePages(company.runtime.services, async () => {
      await company.remove();
      await stripe.stop();
    });
    return { ...pages, company, endsAt };
  }

  /** Marts as a test wrote them down. */
  async serveHandMade(run: Pick<HandMadeRun, 'rows' | 'without'>): Promise<ServedPages> {
    const bed = await openApiTestBed();
    const facts = {
      billing: [factOfSubscription('org_a', 'pro', '2026-05-20')],
      executions: [factOfExecution('org_a', 'seven', '2026-05-21', '7')],
    };
    await publishHandMadeRun(bed.runtime, { asOf: NOW, facts, ...run });
    return this.servePages(bed.runtime.services, () => bed.close());
  }

  private async servePages(services: Services, remove: () => Promise<void>): Promise<ServedPages> {
    const dashboards = { ...services.dashboards, siteDirectory: this.siteDirectory };
    const server: RunningServer = await serve({
      services: { ...services, dashboards },
      ...{ host: '127.0.0.1', port: 0, publishServer: () => Promise.resolve() },
    });
    return {
      url: server.url,
      keyOf: async (role, name = `a ${role}`) =>
        (await services.keys.create({ name, role }, 'test', services.clock())).secret,
      close: async () => {
        await server.stop(1_000);
        await remove();
      },
    };
  }

  async signIn(
    served: ServedPages,
    role: Role,
    { name, ...options }: BrowserContextOptions & { readonly name?: string } = {},
  ): Promise<BrowserContext> {
    const context = await this.browser.newContext(options);
    const page = await context.newPage();
    await page.goto(`${served.url}/dashboards/sign-in`);
    await page.getByLabel('Your key').fill(await served.keyOf(role, name));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { level: 1 }).waitFor();
    await settled(page);
    await page.close();
    return context;
  }

  close(): Promise<void> {
    return this.browser.close();
  }
}

/** How far the page is wider than the window. */
export async function overflowOf(page: Page): Promise<number> {
  return z
    .number()
    .parse(await page.evaluate('Math.max(0, document.documentElement.scrollWidth - innerWidth)'));
}

/** Values that a filter of the page offers, beside all. */
export async function optionsOf(page: Page, name: string): Promise<string[]> {
  const options = await page.locator(`select[name=${name}] option`).all();
  const values = await Promise.all(options.map((option) => option.getAttribute('value')));
  return values.filter((value): value is string => value !== null && value !== 'all');
}

/** Names of the page's filters. */
export async function filtersOf(page: Page): Promise<string[]> {
  const selects = await page.locator('select[name]').all();
  const names = await Promise.all(selects.map((select) => select.getAttribute('name')));
  return names.filter((name) => name !== null);
}
