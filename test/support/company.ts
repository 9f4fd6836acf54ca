import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRuntime, systemClock, type Runtime } from '../../cli/runtime.js';
import type { Catalog } from '../../core/catalog.js';
import { parseInstant } from '../../core/time.js';
import { generateCompany } from '../../fixtures/generator/generate-company.js';
import type { GeneratorOptions } from '../../fixtures/generator/options.js';
import type { Truth } from '../../fixtures/generator/truth.js';
import type { FileReport } from '../../ingest/files/file-report.js';
import { ingestNdjsonFile } from '../../ingest/files/ingest-file.js';
import { loadCatalogFile, type CatalogFile } from '../../platform/catalog-file.js';
import { loadConfig } from '../../platform/config.js';
import { packagePath } from '../../platform/package-path.js';
import type { Run } from '../../transforms/run-store.js';

/** A data directory of a test's own, with the real engines open on it. */
export interface TestCompany {
  readonly runtime: Runtime;
  readonly directory: string;
  ingest(lines: readonly string[]): Promise<FileReport>;
  transform(asOf: string, options?: { fullRefresh?: boolean }): Promise<Run>;
  /** Closes the engines; the files stay until `remove`. */
  close(): Promise<void>;
  remove(): Promise<void>;
}

/** One for all companies, so that those with the same events hold the same tokens. */
export const TEST_TOKEN_KEY = Buffer.alloc(32, 'token').toString('base64');

export async function openCompany(
  directory = mkdtempSync(join(tmpdir(), 'headgate-')),
  settings: Readonly<Record<string, string>> = {},
): Promise<TestCompany> {
  const config = loadConfig({
    ...process.env,
    ...settings,
    HEADGATE_DATA: directory,
    HEADGATE_LOG_LEVEL: 'error',
    HEADGATE_TOKEN_KEY: TEST_TOKEN_KEY,
  });
  const runtime = await openRuntime({
    config,
    command: 'a test',
    clock: systemClock,
    environment: process.env,
    onProgress: () => undefined,
  });
  let files = 0;
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (isOpen) await runtime.close();
    isOpen = false;
  };
  return {
    runtime,
    directory,
    close,
    async ingest(lines) {
      const file = join(directory, `events-${(files += 1)}.ndjson`);
      await writeFile(file, lines.join('\n') + '\n');
      return ingestNdjsonFile(file, runtime.services.ingest, {}, systemClock());
    },
    transform: (asOf, options = {}) => runtime.services.transform({ asOf: parseInstant(asOf), ...options }),
    async remove() {
      await close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export function catalogFile(name: string): Promise<CatalogFile> {
  return loadCatalogFile(packagePath('fixtures', 'catalogs', `${name}.yaml`));
}

/** A simulated company as its lines, with what the simulation knows. */
export function simulate(
  catalog: Catalog,
  options: Partial<GeneratorOptions>,
): { lines: string[]; truth: Truth; endsAt: string } {
  const company = generateCompany(catalog, options);
  const bytes = Buffer.concat([...company.chunks()]);
  const lines = bytes
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
  return { lines, truth: company.truth(), endsAt: company.endsAt };
}

/** What the tests simulate: small enough for many builds, large enough for every kind of event. */
export const SMALL: Partial<GeneratorOptions> = { months: 14, orgs: 60, executionsTarget: 3_000 };
