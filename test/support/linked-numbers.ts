import type { Page } from 'playwright-core';
import { z } from 'zod';
import { addMonths, formatDate, parseDate } from '../../core/time.js';
import type { Random } from '../../fixtures/generator/random.js';
import { chosenOn, type Chosen } from './chosen.js';
import type { Api } from './tour.js';
import { currencyIn, READ_AS, wordsFor } from './words.js';

/** A number of a page that opens its rows: which it is, by its link, and what the page says of it. */
interface LinkedNumber {
  readonly metric: string;
  readonly place: Readonly<Record<string, string>>;
  /** Of a figure its text alone; of a table's row its cells. */
  readonly says: readonly string[];
  readonly isFigure: boolean;
}

/** In a table that adds up to the close, these are taken off. */
const TAKEN_OFF = new Set(['contraction_mrr', 'churned_mrr']);

const Links = z.array(z.object({ href: z.string(), says: z.array(z.string()), isFigure: z.boolean() }));
const LINKS = `[...document.querySelectorAll('a[href*="/dashboards/rows/"]')]
  .filter((link) => !link.href.includes('.csv?') && link.checkVisibility())
  .map((link) => {
    const figure = link.closest('figure');
    const parts = figure ? figure.querySelectorAll('[data-figure]') : link.closest('tr').querySelectorAll('td');
    return { href: link.href, says: [...parts].map((part) => part.innerText.trim().replace(' (assumed)', '')), isFigure: figure !== null };
  })`;

/** Every figure of the page that opens its rows, and so many rows of its tables. */
async function linkedNumbers(page: Page, random: Random, tableRows: number): Promise<LinkedNumber[]> {
  const links = Links.parse(await page.evaluate(LINKS));
  const inTables = links.filter(({ isFigure }) => !isFigure);
  const drawn = Array.from({ length: Math.min(tableRows, inTables.length) }, () => random.pick(inTables));
  return [...links.filter(({ isFigure }) => isFigure), ...drawn].map(({ href, says, isFigure }) => {
    const { pathname, searchParams } = new URL(href);
    const place = Object.fromEntries([...searchParams].filter(([name]) => name !== 'run'));
    return { metric: pathname.split('/').at(-1) ?? '', place, says, isFigure };
  });
}

/** What of the page is not what the API says, or not of what is chosen, in words; nothing where all is. */
export async function wrongNumbers(
  page: Page,
  api: Api,
  { random, tableRows }: { readonly random: Random; readonly tableRows: number },
): Promise<{ readonly looked: number; readonly wrong: string[] }> {
  const numbers = await linkedNumbers(page, random, tableRows);
  const chosen = await chosenOn(page);
  const wrong: string[] = [];
  for (const number of numbers) {
    const { metric, place, says, isFigure } = number;
    const name = `${metric} ${JSON.stringify(place)}`;
    if (isFigure && !isOf(place, chosen)) wrong.push(`${name} is not of ${JSON.stringify(chosen)}`);
    const { unit, value, currency } = await fromApi(api, metric, place);
    const words = isFigure ? figureWords(unit, value, currency) : rowWords(metric, unit, value, currency);
    if (!words.some((word) => says.includes(word)))
      wrong.push(`${name}: the API says ${words.join(' or ')}, the page ${says.join(' | ')}`);
  }
  return { looked: numbers.length, wrong };
}

/** Whether the number stands where the page's filters are set. */
function isOf(
  place: LinkedNumber['place'],
  { month, currency, by = 'plan', only, package: item, org, among }: Chosen,
): boolean {
  const [kind, cut] = among?.split(':', 2) ?? [];
  const wanted: readonly (readonly [name: string, value: string | undefined])[] = [
    ['currency', currency],
    ['dimension', only === undefined ? undefined : by],
    ['member', only],
    ['package_id', item],
    ['org_id', org],
    [kind === 'plan' ? 'plan_id' : kind === 'month' ? 'install_month' : (kind ?? ''), cut],
  ];
  const isThere = wanted.every(
    ([name, value]) => value === undefined || place[name] === undefined || place[name] === value,
  );
  return isThere && (month === undefined || (place['month'] ?? month).startsWith(month));
}

/** As a figure says it: money with its symbol before it. */
function figureWords(unit: string, value: string | null, currency: string | null): string[] {
  const code = currencyIn(currency);
  return wordsFor(unit, value, currency).map((word) => {
    if (value === null || code === '' || !['minor', 'micros'].includes(unit)) return word;
    const parts = new Intl.NumberFormat('en', { style: 'currency', currency: code }).formatToParts(0);
    const symbol = parts.find(({ type }) => type === 'currency')?.value ?? '';
    const gap = parts.some(({ type }) => type === 'literal') ? '\u00a0' : '';
    return word.replace(/^(-?)/, `$1${symbol.replace('$', '$$$$')}${gap}`);
  });
}

/** As a row of a table says it: money with its currency behind it. */
function rowWords(metric: string, unit: string, value: string | null, currency: string | null): string[] {
  const signed = value !== null && TAKEN_OFF.has(metric) ? String(-BigInt(value)) : value;
  const code = ['minor', 'micros'].includes(unit) && value !== null ? currencyIn(currency) : '';
  return wordsFor(unit, signed, currency).map((word) => (code === '' ? word : `${word} ${code}`));
}

const Answer = z.object({
  metric: z.object({ unit: z.string() }),
  values: z.array(z.object({ value: z.string().nullable(), currency: z.string().nullable() })),
});

async function fromApi(
  api: Api,
  metric: string,
  place: LinkedNumber['place'],
): Promise<{ readonly unit: string; readonly value: string | null; readonly currency: string | null }> {
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
    return { unit: 'text', value: `${values.length === 0 ? 'no' : 'more than one'} value`, currency: null };
  return { unit: READ_AS[metric] ?? told.unit, value: only.value, currency: only.currency };
}

const nextMonth = (month: string): string => formatDate(addMonths(parseDate(month), 1));
const weekAfter = (week: string): string =>
  new Date(Date.parse(week) + 7 * 86_400_000).toISOString().slice(0, 10);
