import { setTimeout as delay } from 'node:timers/promises';
import type { Browser, Page, Request } from 'playwright-core';
import { z } from 'zod';
import { bytesByKind, trafficOf, type BytesByKind } from './page-traffic.js';

/** Somebody who is signed in, and has never been there before: the cookie is put in by hand, so that no page filled a cache. */
export interface Reader {
  readonly browser: Browser;
  readonly url: string;
  readonly cookie: { readonly name: string; readonly value: string };
}

export interface FirstVisit {
  readonly paintedMs: number;
  readonly numbersMs: number;
}

const GIVEN_UP_AFTER_MS = 60_000;
/** Charts of one choice are drawn before the next one. */
const BETWEEN_CHOICES_MS = 1_000;

/*
 * What runs in pages is text: types here know no DOM, and a function would come with a helper of tsx that pages have not. It waits by
 * promises, since polling would take its share of a processor that is being measured.
 */
const FIGURE = `(document.querySelector('[data-figure=mrr]')?.textContent ?? '')`;
const WATCHED = '{ childList: true, characterData: true, subtree: true }';
const GIVE_UP = `setTimeout(() => reject(new Error('no figure came')), ${GIVEN_UP_AFTER_MS})`;
const WATCH_NUMBERS = `globalThis.numbersShown = new Promise((resolve, reject) => {
  new MutationObserver((_, watch) => {
    if (!/\\d/.test(${FIGURE})) return;
    watch.disconnect();
    resolve(performance.now());
  }).observe(document, ${WATCHED});
  ${GIVE_UP};
})`;
const FIRST_PAINT = `new Promise((resolve) => {
  new PerformanceObserver((list) => {
    for (const { startTime } of list.getEntriesByName('first-contentful-paint')) resolve(startTime);
  }).observe({ type: 'paint', buffered: true });
})`;
const MONTHS = `Array.from(document.querySelectorAll('select[name=month] option'), ({ value }) => value)`;
const chooseMonth = (month: string): string => `new Promise((resolve, reject) => {
  const [before, select] = [${FIGURE}, document.querySelector('select[name=month]')];
  let chosenAt;
  new MutationObserver((_, watch) => {
    if (!/\\d/.test(${FIGURE}) || ${FIGURE} === before) return;
    watch.disconnect();
    resolve(performance.now() - chosenAt);
  }).observe(document.querySelector('main'), ${WATCHED});
  ${GIVE_UP};
  select.value = ${JSON.stringify(month)};
  chosenAt = performance.now();
  select.dispatchEvent(new Event('change', { bubbles: true }));
})`;

async function onFreshPage<Result>(
  { browser, url, cookie }: Reader,
  work: (page: Page) => Promise<Result>,
): Promise<Result> {
  const context = await browser.newContext();
  try {
    await context.addCookies([{ ...cookie, url }]);
    return await work(await context.newPage());
  } finally {
    await context.close();
  }
}

/** Until the numbers of Overview show: what a page's own clock says, in milliseconds since it was asked for. */
async function openOverview(page: Page, url: string): Promise<FirstVisit> {
  await page.addInitScript(WATCH_NUMBERS);
  await page.goto(`${url}/dashboards/`, { waitUntil: 'commit' });
  const numbersMs = z.number().parse(await page.evaluate('numbersShown'));
  return { numbersMs, paintedMs: z.number().parse(await page.evaluate(FIRST_PAINT)) };
}

/** @param slowdown how many times slower the page's processor is than this one */
export async function firstVisits(reader: Reader, count: number, slowdown: number): Promise<FirstVisit[]> {
  const visits: FirstVisit[] = [];
  for (let visit = 0; visit < count; visit += 1) {
    const visited = await onFreshPage(reader, async (page) => {
      const session = await page.context().newCDPSession(page);
      await session.send('Emulation.setCPUThrottlingRate', { rate: slowdown });
      return openOverview(page, reader.url);
    });
    visits.push(visited);
  }
  return visits;
}

/** From each choice of another month on Growth until its MRR shows, once the engine is ready behind the page. */
export async function filterTimes(reader: Reader, choices: number): Promise<number[]> {
  return onFreshPage(reader, async (page) => {
    const traffic = trafficOf(page);
    await page.goto(`${reader.url}/dashboards/growth/`);
    await traffic.quiet();
    // Behind "no choice" and the two newest, of which one is what that shows: a month whose figure is there already would not change it.
    const months = z
      .array(z.string())
      .parse(await page.evaluate(MONTHS))
      .slice(3);
    if (months.length < choices) throw new Error(`dashboards bench: ${months.length} months to choose from`);
    const times: number[] = [];
    for (const month of months.slice(0, choices)) {
      times.push(z.number().parse(await page.evaluate(chooseMonth(month))));
      await delay(BETWEEN_CHOICES_MS);
    }
    return times;
  });
}

/** What Overview transfers: asked for before its numbers showed, and afterwards. */
export async function overviewBytes(reader: Reader): Promise<{ before: BytesByKind; behind: BytesByKind }> {
  return onFreshPage(reader, async (page) => {
    const traffic = trafficOf(page);
    const { numbersMs } = await openOverview(page, reader.url);
    const shownAt = z.number().parse(await page.evaluate('performance.timeOrigin')) + numbersMs;
    await traffic.quiet();
    const isBefore = (request: Request): boolean => request.timing().startTime < shownAt;
    return {
      before: await bytesByKind(traffic.finished.filter(isBefore)),
      behind: await bytesByKind(traffic.finished.filter((request) => !isBefore(request))),
    };
  });
}
