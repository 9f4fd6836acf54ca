import type { Page } from 'playwright-core';
import { z } from 'zod';
import { READ_AS } from '../../core/catalog/metric-names.js';
import { addMonths, formatDate, parseDate } from '../../core/time.js';
import type { Random } from '../../fixtures/generator/random.js';
import type { Api } from './tour.js';
import { wordsFor } from './words.js';

/** A number of a page that opens its rows: which it is, by its link, and the words around it. */
interface LinkedNumber {
  readonly metric: string;
  readonly place: Readonly<Record<string, string>>;
  readonly text: string;
  readonly isFigure: boolean;
}

/** In a table that adds up to the close, these are taken off. */
const TAKEN_OFF = new Set(['contraction_mrr', 'churned_mrr']);

const Links = z.array(z.object({ href: z.string(), text: z.string(), isFigure: z.boolean() }));
const LINKS = `[...document.querySelectorAll('a[href*="/dashboards/rows/"]')]
  .filter((link) => !link.href.includes('.csv?') && link.checkVisibility())
  .map((link) => ({ href: link.href, text: (link.closest('figure') ?? link.closest('tr')).innerText, isFigure: link.closest('figure') !== null }))`;

/** Every figure of the page that opens its rows, and so many rows of its tables. */
async function linkedNumbers(page: Page, random: Random, tableRows: number): Promise<LinkedNumber[]> {
  const links = Links.parse(await page.evaluate(LINKS));
  const inTables = links.filter(({ isFigure }) => !isFigure);
  const drawn = Array.from({ length: Math.min(tableRows, inTables.length) }, () => random.pick(inTables));
  return [...links.filter(({ isFigure }) => isFigure), ...drawn].map(({ href, text, isFigure }) => {
    const { pathname, searchParams } = new URL(href);
    const place = Object.fromEntries([...searchParams].filter(([name]) => name !== 'run'));
    return { metric: pathname.split('/').at(-1) ?? '', place, text, isFigure };
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
  for (const { metric, place, text, isFigure } of numbers) {
    const { words, isNegative } = await fromApi(api, metric, place);
    const isBelow = isNegative !== (!isFigure && TAKEN_OFF.has(metric));
    if (!words.some((word) => says(text, word, isBelow)))
      wrong.push(
        `${metric} ${JSON.stringify(place)}: the API says ${isBelow ? '-' : ''}${words.join(' or ')}, the page ${text}`,
      );
  }
  return { looked: numbers.length, wrong };
}

/** Whether the word is in the text, and behind a minus where it is below zero. */
function says(text: string, word: string, isBelow: boolean): boolean {
  const isZero = !/[1-9]/.test(word);
  return text
    .split(word)
    .slice(0, -1)
    .some((before) => isZero || /-[^\d\s]{0,4}$/.test(before) === isBelow);
}

const Answer = z.object({
  metric: z.object({ unit: z.string() }),
  values: z.array(z.object({ value: z.string().nullable() })),
});

async function fromApi(
  api: Api,
  metric: string,
  place: LinkedNumber['place'],
): Promise<{ readonly words: string[]; readonly isNegative: boolean }> {
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
    return { words: [`${values.length === 0 ? 'no' : 'more than one'} value`], isNegative: false };
  return {
    words: wordsFor(READ_AS.get(metric) ?? told.unit, only.value),
    isNegative: only.value?.startsWith('-') === true,
  };
}

const nextMonth = (month: string): string => formatDate(addMonths(parseDate(month), 1));
const weekAfter = (week: string): string =>
  new Date(Date.parse(week) + 7 * 86_400_000).toISOString().slice(0, 10);
