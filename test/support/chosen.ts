import type { Page } from 'playwright-core';

/** What is chosen on a page, by the filter's name; a filter that is left alone is not among them. */
export type Chosen = Readonly<Record<string, string | undefined>>;

/** What is chosen in the page's filters. */
export async function chosenOn(page: Page): Promise<Chosen> {
  const selects = await page.locator('select[name]').all();
  const pairs = await Promise.all(
    selects.map(async (select) => [await select.getAttribute('name'), await select.inputValue()] as const),
  );
  return Object.fromEntries<string>(
    pairs.flatMap(([name, value]) => (name === null || value === 'all' ? [] : [[name, value]])),
  );
}
