import type { Page } from 'playwright-core';
import { expect, vi } from 'vitest';

/** All figures are there, and nothing loads any more. */
export async function settled(page: Page): Promise<void> {
  await page.locator('main[aria-busy=false]').waitFor();
  await vi.waitFor(
    async () => {
      const busy = [page.locator('[aria-busy=true]'), page.getByText('Loading...')];
      for (const one of busy) expect(await one.count()).toBe(0);
    },
    { timeout: 30_000, interval: 50 },
  );
  await page.waitForLoadState('networkidle');
}
