import type { Page } from 'playwright-core';
import { z } from 'zod';
import {
  COUNTED_FIGURES,
  NUMBERS_TABLES,
  type Chosen,
  type Column,
  type NumbersTable,
} from './page-numbers.js';
import type { Api } from './tour.js';
import { wordsFor } from './words.js';

/** A table shows so many at least, where there are so many. */
const ROWS_SHOWN = 10;
const NOTHING = new Set(['', '-', '–']);

/** What is chosen in the page's filters. */
async function chosenOn(page: Page): Promise<Chosen> {
  const selects = await page.locator('select[name]').all();
  const pairs = await Promise.all(
    selects.map(async (select) => [await select.getAttribute('name'), await select.inputValue()] as const),
  );
  return Object.fromEntries<string>(
    pairs.flatMap(([name, value]) => (name === null || value === 'all' ? [] : [[name, value]])),
  );
}

/** What of the page's counts and tables is not what the API answers SQL, in words; nothing where all is. */
export async function wrongCells(
  page: Page,
  api: Api,
  path: string,
): Promise<{ looked: number; wrong: string[] }> {
  const chosen = await chosenOn(page);
  const wrong: string[] = [];
  let looked = 0;
  await page.evaluate("document.querySelectorAll('details:not([open])').forEach((one) => (one.open = true))");
  for (const { counts, from } of COUNTED_FIGURES.filter((figure) => figure.path === path)) {
    const names = Object.keys(counts);
    const [values = []] = await api.sql(`select ${Object.values(counts).join(', ')} from ${from(chosen)}`);
    for (const [index, name] of names.entries()) {
      const value = values[index] ?? 'null';
      const expected = value === 'null' ? ['–'] : wordsFor('count', value);
      const said = await page.locator(`[data-figure=${name}]`).innerText();
      looked += 1;
      if (!expected.includes(said))
        wrong.push(`${name}: the API says ${expected.join(' or ')}, the page ${said}`);
    }
  }
  for (const table of NUMBERS_TABLES.filter((one) => one.path === path)) {
    const shown = await rowsOf(page, table);
    const expected = await expectedRows(api, table, chosen);
    const where = String(table.under);
    looked += shown.length;
    if (shown.length < Math.min(expected.length, ROWS_SHOWN) || shown.length > expected.length)
      wrong.push(`${where}: the API has ${expected.length} rows, the page ${shown.length}`);
    for (const cells of shown) {
      const isThere = expected.some((row) => row.every((words, index) => words.includes(cells[index] ?? '')));
      if (!isThere)
        wrong.push(`${where}: the API has no row ${cells.join(' | ')}, but ${nearest(expected, cells)}`);
    }
  }
  return { looked, wrong };
}

/** For the message: the row that has most cells in common. */
function nearest(rows: readonly (readonly string[][])[], cells: readonly string[]): string {
  const alike = (row: readonly string[][]): number =>
    row.filter((words, index) => words.includes(cells[index] ?? '')).length;
  const [best] = [...rows].sort((a, b) => alike(b) - alike(a));
  return best === undefined ? 'none' : best.map((words) => words.join(' or ')).join(' | ');
}

async function expectedRows(
  api: Api,
  { columns, from }: NumbersTable,
  chosen: Chosen,
): Promise<string[][][]> {
  const wanted = Object.values(columns);
  const parts = wanted.flatMap((column) => [
    column.value,
    typeof column.unit === 'string' ? `'${column.unit}'` : column.unit.of,
    column.currency ?? 'null',
    column.mark ?? "''",
  ]);
  const rows = await api.sql(
    `select ${parts.map((part, index) => `${part} as c${index}`).join(', ')} from ${from(chosen)}`,
  );
  return rows.map((row) => wanted.map((_, index) => wordsOf(row.slice(index * 4, index * 4 + 4))));
}

/** Of a value, its unit, its currency and what follows it: what a cell may say. */
function wordsOf([value = 'null', unit = '', currency = 'null', mark = '']: readonly string[]): string[] {
  if (value === 'null') return [...NOTHING];
  const sign = unit !== 'text' && unit !== 'quantity' && value.startsWith('-') ? '-' : '';
  const of =
    ['minor', 'micros'].includes(unit) && !['null', 'none'].includes(currency)
      ? ` ${currency.replace('reporting:', '')}`
      : '';
  return wordsFor(unit, value).map((word) => `${sign}${word}${of}${mark}`);
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
  const tables = found.find(([heading]) => under.test(heading))?.[1] ?? [];
  const table = tables[nth];
  if (table === undefined) return [];
  const places = Object.keys(columns).map((title) => {
    const place = table.head.findIndex((head) => head.toLowerCase() === title.toLowerCase());
    if (place < 0) throw new Error(`no column ${title} among ${table.head.join(', ')}`);
    return place;
  });
  return table.rows
    .filter((row) => row.some((cell) => cell !== ''))
    .map((row) => places.map((place, index) => unmarked(row[place] ?? '', Object.values(columns)[index])));
}

/** A goal says on which side of it the number should be; a cell that is empty says so. */
function unmarked(cell: string, column: Column | undefined): string {
  return column?.value === 'goal' ? cell.replace(/^\S+ /, '') : cell;
}
