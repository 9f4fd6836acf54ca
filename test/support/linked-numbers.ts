import type { Page } from 'playwright-core';
import { z } from 'zod';
import { READ_PER_ONE } from '../../core/catalog/metric-names.js';
import { addMonths, formatDate, parseDate } from '../../core/time.js';
import type { Random } from '../../fixtures/generator/random.js';
import type { Api } from './tour.js';

/** A number of a page that opens its rows: which it is, by its link, and the words around it. */
interface LinkedNumber {
  readonly metric: string;
  readonly place: Readonly<Record<string, string>>;
  readonly text: string;
}

const Links = z.array(z.object({ href: z.string(), text: z.string(), isFigure: z.boolean() }));
const LINKS = `[...document.querySelectorAll('a[href*="/dashboards/rows/"]')]
  .filter((link) => !link.href.includes('.csv?') && link.checkVisibility())
  .map((link) => ({ href: link.href, text: (link.closest('figure') ?? link.closest('tr')).innerText, isFigure: link.closest('figure') !== null }))`;

/** Every figure of the page that opens its rows, and so many rows of its tables. */
async function linkedNumbers(page: Page, random: Random, tableRows: number): Promise<LinkedNumber[]> {
  const links = Links.parse(await page.evaluate(LINKS));
  const inTables = links.filter(({ isFigure }) => !isFigure);
  const drawn = Array.from({ length: Math.min(tableRows, inTables.length) }, () => random.pick(inTables));
  return [...links.filter(({ isFigure }) => isFigure), ...drawn].map(({ href, text }) => {
    const { pathname, searchParams } = new URL(href);
    const place = Object.fromEntries([...searchParams].filter(([name]) => name !== 'run'));
    return { metric: pathname.split('/').at(-1) ?? '', place, text };
  });
}

/** What of the page is not what the API says, in words; nothing where all is. */
export async function wrongNumbers(
  page: Page,
  api: Api,
  { random, tableRows }: { readonly random: Random; readonly tableRows: number },
): Promise<{ readonly looked: number; readonly wrong: string[] }> {
  const numbers = await linkedNumbers(page, random, tableRows);
  const wrong: string[] = [];
  for (const { metric, place, text } of numbers) {
    const words = await fromApi(api, metric, place);
    if (!words.some((one) => text.includes(one)))
      wrong.push(`${metric} ${JSON.stringify(place)}: the API says ${words.join(' or ')}, the page ${text}`);
  }
  return { looked: numbers.length, wrong };
}

const Answer = z.object({
  metric: z.object({ unit: z.string() }),
  values: z.array(z.object({ value: z.string().nullable() })),
});

async function fromApi(api: Api, metric: string, place: LinkedNumber['place']): Promise<string[]> {
  const query = new URLSearchParams({ limit: '2' });
  for (const [name, value] of Object.entries(place)) {
    if (name === 'month' || name === 'week') {
      query.set('from', value);
      query.set('to', name === 'month' ? nextMonth(value) : weekAfter(value));
    } else if (name === 'currency') query.set('currency', value);
    else if (name === 'dimension' && value !== 'all') query.set(`where[${value}]`, place['member'] ?? '');
    else if (name !== 'dimension' && name !== 'member' && value !== 'all') query.set(`where[${name}]`, value);
  }
  const { metric: told, values } = await api.get(`/v1/metrics/${metric}?${query.toString()}`, Answer);
  const [only, second] = values;
  if (only === undefined || second !== undefined)
    return [`${values.length === 0 ? 'no' : 'more than one'} value`];
  return wordsFor(metric, told.unit, only.value);
}

const nextMonth = (month: string): string => formatDate(addMonths(parseDate(month), 1));
const weekAfter = (week: string): string =>
  new Date(Date.parse(week) + 7 * 86_400_000).toISOString().slice(0, 10);

/** As a page may say it: figures leave zeros out that tables show. */
function wordsFor(metric: string, unit: string, value: string | null): string[] {
  if (value === null) return ['–'];
  const number = Math.abs(Number(value));
  const digits = (shown: number, most: number): string[] => [
    shown.toLocaleString('en', { minimumFractionDigits: most, maximumFractionDigits: most }),
    shown.toLocaleString('en', { maximumFractionDigits: most }),
  ];
  if (READ_PER_ONE.has(metric)) return digits(Math.round(number / 10_000) / 100, 2);
  switch (unit) {
    case 'minor':
      return digits(number / 100, 2).slice(0, 1);
    // Half a ten-thousandth goes up or down, as binary fractions have it.
    case 'micros':
      return [Math.round(number / 100), Math.ceil(number / 100 - 0.5)].flatMap((most) =>
        digits(most / 10_000, 4).slice(0, 1),
      );
    case 'ppm':
      return digits(Math.round(number / 1000) / 10, 1).map((shown) => `${shown}%`);
    case 'seconds':
      return [spanOf(number)];
    default:
      return [number.toLocaleString('en')];
  }
}

function spanOf(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} days`;
}
