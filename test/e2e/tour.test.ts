import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureSite } from '../../cli/dashboards/build-site.js';
import { packagePath } from '../../platform/package-path.js';
import { hasChromium, openChromium, screenshotPath, watchedPage } from '../support/chromium.js';
import { lineFrom, startHeadgate, type Running } from '../support/command-line.js';
import { answerOn, apiOf, headingOf, openPage, TOUR, type TourQuestion } from '../support/tour.js';
import { wrongCells } from '../support/wrong-cells.js';

/*
 * The walk of docs/tour.md, as somebody takes it who never saw the product: one command, the link that it ends with, seven questions.
 * `UPDATE_DOCS=1` takes the pictures of docs/tour anew.
 */
const LINK = /^(http:\/\/\S+)\/dashboards\/sign-in#(hg_\S+)$/m;
const BUILT_WITHIN_MS = 540_000;
const WIDTH = 1280;
const PICTURE_HEIGHT = 560;

describe.runIf(hasChromium())('the demo, and the pages that it links to', () => {
  const root = mkdtempSync(join(tmpdir(), 'headgate-tour-'));
  let demo: Running;
  let numbers: string;
  let browser: Browser;
  let context: BrowserContext;
  let url: string;
  let key: string;

  beforeAll(async () => {
    browser = await openChromium();
    // Before the demo would, and not behind everything else that runs here.
    await ensureSite({ environment: process.env, onProgress: () => undefined });
    demo = startHeadgate(['demo', '--serve'], { cwd: root, environment: { HEADGATE_PORT: '0' } });
    demo.stderr.resume();
    const found = await lineFrom(demo.stdout, LINK);
    [url = '', key = ''] = found.slice(1);
    numbers = found.input;
    context = await browser.newContext({ viewport: { width: WIDTH, height: 800 } });
  }, BUILT_WITHIN_MS);
  afterAll(async () => {
    demo.kill('SIGKILL');
    await browser.close();
    rmSync(root, { recursive: true, force: true });
  });

  test('the numbers come first, and the link is the last that it says', () => {
    expect(numbers.indexOf('MRR $')).toBeGreaterThan(0);
    expect(numbers.indexOf('\nPages\n')).toBeGreaterThan(numbers.indexOf('\nNext\n'));
  });

  test('the link fills in the key, takes it out of the address, and signs in at a press', async () => {
    const page = await context.newPage();
    await page.goto(`${url}/dashboards/sign-in#${key}`);
    expect(new URL(page.url()).hash).toBe('');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    await page.close();
  });

  test.each(TOUR)(
    '$question The page and the API say the same, and so does the walk',
    async (asked) => {
      const place = TOUR.indexOf(asked) + 1;
      const { page, troubles } = await watchedPage(context, url);
      await openPage(page, url, asked.path);
      const answer = await answerOn(page, asked);
      expect(answer.length).toBeGreaterThan(0);
      expect(answer).toEqual(await asked.fromApi(apiOf(url, key)));
      expect(troubles).toEqual([]);
      await takePicture(page, asked, place);
      await expect
        .poll(async () => (await wrongCells(page, apiOf(url, key), asked.path)).wrong, { timeout: 120_000 })
        .toEqual([]);
      await page.close();
      const walk = readFileSync(packagePath('docs', 'tour.md'), 'utf8');
      expect(walk).toContain(`## ${place}. ${asked.question}`);
      for (const line of answer.slice(0, 3)) for (const word of line.split(' ')) expect(walk).toContain(word);
    },
    // Finance's are held against a company's whole past, rated anew.
    300_000,
  );

  test('Finance has the invoices that the terminal told of, each found to be what was rated', async () => {
    const [, told = 'none'] = /^(\d+) invoices, /m.exec(numbers) ?? [];
    const { page, troubles } = await watchedPage(context, url);
    await openPage(page, url, 'finance');
    expect(await page.locator('[data-figure=invoices]').innerText()).toBe(told);
    expect(await page.locator('[data-figure=unreconciled]').innerText()).toBe('0');
    expect(await page.locator('[data-figure=breaks]').innerText()).toBe('0');
    expect(troubles).toEqual([]);
    await page.close();
  }, 60_000);

  async function takePicture(page: Page, asked: TourQuestion, place: number): Promise<void> {
    const box = await headingOf(page, asked).boundingBox();
    const path = screenshotPath(`tour-${place}`);
    // The first page from its top: a founder reads no further.
    const y = asked.path === '' ? 0 : Math.max(0, (box?.y ?? 0) - 16);
    const height = asked.path === '' ? (box?.y ?? 0) + PICTURE_HEIGHT / 2 : PICTURE_HEIGHT;
    await page.screenshot({ path, fullPage: true, clip: { x: 0, y, width: WIDTH, height } });
    if (process.env['UPDATE_DOCS'] !== '1') return;
    mkdirSync(packagePath('docs', 'tour'), { recursive: true });
    copyFileSync(path, packagePath('docs', 'tour', `${place}.png`));
  }

  test('Ctrl-C ends it, and leaves nothing that holds the company', async () => {
    const ended = new Promise<number | null>((resolve) => demo.on('exit', resolve));
    demo.kill('SIGINT');
    expect(await ended).toBe(0);
  }, 30_000);
});
