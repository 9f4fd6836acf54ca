import { cp, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Catalog } from '../../core/catalog.js';
import type { Truth } from '../../fixtures/generator/truth.js';
import { catalogFile, openCompany, simulate, SMALL, type TestCompany } from './company.js';
import { testSeed } from './test-seed.js';

/** HEADGATE_TEST_SEED=7 simulates other companies. */
export const COMPANY_SEED = testSeed(23);

/** A simulated company with every fault on, ingested and measured at its end. */
export interface MeasuredCompany {
  readonly company: TestCompany;
  readonly catalog: Catalog;
  readonly lines: readonly string[];
  readonly truth: Truth;
  readonly endsAt: string;
}

/**
 * A copy of the catalog's company for a test of its own. It is built once in a run of the tests: the first that asks builds it, in
 * whichever process, and the others wait.
 */
export async function openMeasuredCompany(catalogName: string): Promise<MeasuredCompany> {
  const { catalog } = await catalogFile(catalogName);
  const { lines, truth, endsAt } = simulate(catalog, { ...SMALL, seed: COMPANY_SEED });
  const built = join(companiesDirectory(), `${catalogName}-${COMPANY_SEED}`);
  await buildOnce(built, async (directory) => {
    const company = await openCompany(directory);
    await company.runtime.services.publishCatalog(await catalogFile(catalogName), 'test');
    await company.ingest(lines);
    await company.transform(endsAt);
    await company.close();
  });
  const copy = await mkdtemp(join(tmpdir(), 'headgate-'));
  await cp(built, copy, { recursive: true });
  return { company: await openCompany(copy), catalog, lines, truth, endsAt };
}

/** Made and taken away by test/global-setup.ts. */
function companiesDirectory(): string {
  const directory = process.env['HEADGATE_TEST_COMPANIES'];
  if (directory === undefined) throw new Error('test/global-setup.ts names the folder of built companies');
  return directory;
}

/** `directory` is there only when it is whole; what fails to build it leaves the turn to the next one. */
async function buildOnce(directory: string, build: (directory: string) => Promise<void>): Promise<void> {
  const turn = `${directory}.turn`;
  while (!(await exists(directory))) {
    const isOurs = await mkdir(turn).then(
      () => true,
      () => false,
    );
    if (!isOurs) {
      await delay(200);
      continue;
    }
    const underWay = await mkdtemp(`${directory}.`);
    try {
      await build(underWay);
      await rename(underWay, directory);
    } finally {
      await rm(turn, { recursive: true });
    }
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
