import type { Page } from 'playwright-core';
import { z } from 'zod';
import { chosenOn, type Chosen } from './chosen.js';
import { COUNTED_FIGURES, NUMBERS_TABLES, type NumbersTable } from './page-numbers.js';
import type { Api } from './tour.js';
import { currencyIn, wordsFor } from './words.js';

/** A table shows so many at least, where there are so many. */
const ROWS_SHOWN = 10;
/** A cell of which nothing is known. */
const NOTHING = ['', '-', '–'];

/** A cell as the API has it: what it may say. */
type Words = readonly string[];

/** What of the page's counts and tables is not what the API answers SQL, in words; nothing where all is. */
export async function wrongCells(
  page: Page,
  api: Api,
  path: string,
): Promise<{ readonly filled: readonly NumbersTable[]; readonly wrong: string[] }> {
  const chosen = await chosenOn(page);
  await page.evaluate("document.querySelectorAll('details:not([open])').forEach((one) => (one.open = true))");
  const wrong: string[] = [];
  for (const { counts, from } of COUNTED_FIGURES.filter((figure) => figure.path === path)) {
    const [values = []] = await api.sql(`select ${Object.values(counts).join(', ')} from ${from(chosen)}`);
    for (const [index, name] of Object.keys(counts).entries()) {
      const value = values[index] ?? 'null';
      const expected = wordsFor('count', value === 'null' ? null : value);
      const said = await page.locator(`[data-figure=${name}]`).innerText();
      if (!expected.includes(said))
        wrong.push(`${name}: the API says ${expected.join(' or ')}, the page ${said}`);
    }
  }
  const filled: NumbersTable[] = [];
  for (const table of NUMBERS_TABLES.filter((one) => one.path === path)) {
    const shown = await rowsOf(page, table);
    if (shown.length > 0) filled.push(table);
    const expected = await expectedRows(api, table, chosen);
    wrong.push(...wrongRows(table, shown, expected).map((one) => `${String(table.under)}: ${one}`));
  }
  return { filled, wrong };
}

/** Each row of the page is one of the API's, and no two are the same; where the order is part of it, they are its first. */
function wrongRows(
  { order }: NumbersTable,
  shown: readonly (readonly string[])[],
  expected: readonly (readonly Words[])[],
): string[] {
  const wrong: string[] = [];
  if (shown.length < Math.min(expected.length, ROWS_SHOWN) || shown.length > expected.length)
    wrong.push(`the API has ${expected.length} rows, the page ${shown.length}`);
  const left = [...expected];
  for (const [place, cells] of shown.entries()) {
    const among = order === undefined ? left : expected.slice(place, place + 1);
    const found = among.find((row) => alike(row, cells) === row.length);
    if (found === undefined)
      wrong.push(
        `the API has no row ${cells.join(' | ')} as the ${place + 1}., but ${nearest(among, cells)}`,
      );
    else if (order === undefined) left.splice(left.indexOf(found), 1);
  }
  return wrong;
}

/** How many cells say what they may. */
const alike = (row: readonly Words[], cells: readonly string[]): number =>
  row.filter((words, index) => words.includes(cells[index] ?? '')).length;

function nearest(rows: readonly (readonly Words[])[], cells: readonly string[]): string {
  const [best] = [...rows].sort((a, b) => alike(b, cells) - alike(a, cells));
  return best === undefined ? 'none' : best.map((words) => words.join(' or ')).join(' | ');
}

async function expectedRows(
  api: Api,
  { columns, from, order }: NumbersTable,
  chosen: Chosen,
): Promise<Words[][]> {
  const wanted = Object.values(columns);
  const parts = wanted.flatMap(({ value, unit, currency = 'null', before = "''", behind = "''" }) => [
    ...[value, typeof unit === 'string' ? `'${unit}'` : unit.of],
    ...[currency, before, behind],
  ]);
  const size = parts.length / wanted.length;
  const selected = parts.map((part, index) => `${part} as c${index}`).join(', ');
  const rows = await api.sql(
    `select ${selected} from ${from(chosen)}${order === undefined ? '' : ` order by ${order}`}`,
  );
  return rows.map((row) => wanted.map((_, index) => wordsOf(row.slice(index * size, (index + 1) * size))));
}

/** Of a value, its unit, its currency and what stands around it: what a cell may say. */
function wordsOf([
  value = 'null',
  unit = '',
  currency = 'null',
  before = '',
  behind = '',
]: readonly string[]): Words {
  if (value === 'null') return NOTHING;
  const code = ['minor', 'micros'].includes(unit) && currency !== 'null' ? currencyIn(currency) : '';
  return wordsFor(unit, value, currency).map(
    (word) => `${before}${word}${code === '' ? '' : ` ${code}`}${behind}`,
  );
}

const Tables = z.array(z.object({ head: z.array(z.string()), rows: z.array(z.array(z.string())) }));
/** Every table that is seen, under the heading before it: what stands above its columns, and its rows. */
const READ = `(() => {
  const under = new Map();
  let heading = '';
  for (const one of document.querySelectorAll('h2, table')) {
    if (one.tagName === 'H2') heading = one.innerText.trim();
    else if (one.checkVisibility()) {
      const cellsOf = (row, kind) => [...row.querySelectorAll(kind)].map((cell) => cell.innerText.trim());
      const rows = [...one.querySelectorAll('tr')].filter((row) => row.querySelector('td'));
      under.set(heading, [...(under.get(heading) ?? []), { head: cellsOf(one, '[role=columnheader]'), rows: rows.map((row) => cellsOf(row, 'td')) }]);
    }
  }
  return [...under];
})()`;

/** Its shown rows, with the cells of the columns that are looked at. */
async function rowsOf(page: Page, { under, nth = 0, columns }: NumbersTable): Promise<string[][]> {
  const found = z.array(z.tuple([z.string(), Tables])).parse(await page.evaluate(READ));
  const table = found.find(([heading]) => under.test(heading))?.[1][nth];
  if (table === undefined) return [];
  const places = Object.keys(columns).map((title) => {
    const place = table.head.findIndex((head) => head.toLowerCase() === title.toLowerCase());
    if (place < 0) throw new Error(`no column ${title} among ${table.head.join(', ')}`);
    return place;
  });
  return table.rows
    .filter((row) => row.some((cell) => cell !== ''))
    .map((row) => places.map((place) => row[place] ?? ''));
}
