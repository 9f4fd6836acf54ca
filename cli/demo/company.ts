import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { z } from 'zod';
import { apiJson } from '../../api/json-answer.js';
import type { Catalog } from '../../core/catalog.js';
import { watermarkJson } from '../../core/raw-event.js';
import { formatInstant, parseInstant, type Instant } from '../../core/time.js';
import { DEFAULT_OPTIONS, type GeneratorOptions } from '../../fixtures/generator/options.js';
import { generateCompany } from '../../fixtures/generator/generate-company.js';
import { ingestNdjsonFile } from '../../ingest/files/ingest-file.js';
import { loadCatalogFile } from '../../platform/catalog-file.js';
import { packagePath } from '../../platform/package-path.js';
import { currentRun, type Run } from '../../transforms/run-store.js';
import type { Runtime } from '../runtime.js';
import type { DemoCatalog } from './demo-catalogs.js';

export interface DemoCompany {
  readonly catalog: Catalog;
  readonly run: Run;
  readonly eventsFile: string;
}

const Made = z.object({ key: z.string(), endsAt: z.string() });

/** A simulated company in the data directory, ingested and measured as of its end. What is there already is kept. */
export async function prepareCompany(
  name: DemoCatalog,
  overrides: Partial<GeneratorOptions>,
  runtime: Runtime,
): Promise<DemoCompany> {
  const { services, directory } = runtime;
  const progress = services.onProgress;
  const file = await loadCatalogFile(packagePath('fixtures', 'catalogs', `${name}.yaml`));
  await services.publishCatalog(file, 'demo');

  const folder = join(directory.root, 'demo');
  const { eventsFile, endsAt, lines } = await writeEvents(file.catalog, overrides, folder, progress);
  progress(`Ingesting ${lines === null ? 'the events' : `${lines.toLocaleString('en-US')} lines`} …`);
  const report = await ingestNdjsonFile(eventsFile, services.ingest, {}, services.clock());
  if (report.chunks > 0) {
    progress(
      `Ingested ${report.accepted.toLocaleString('en-US')} events; ${report.quarantined} malformed lines are in quarantine.`,
    );
  }
  return { catalog: file.catalog, run: await measure(runtime, endsAt), eventsFile };
}

/** Writes the company's events once; the same options find the file again. */
async function writeEvents(
  catalog: Catalog,
  overrides: Partial<GeneratorOptions>,
  folder: string,
  progress: (message: string) => void,
): Promise<{ eventsFile: string; endsAt: Instant; lines: number | null }> {
  const eventsFile = join(folder, 'events.ndjson');
  const madeFile = join(folder, 'made.json');
  const key = createHash('sha256')
    .update(apiJson([catalog, { ...DEFAULT_OPTIONS, ...overrides }]))
    .digest('hex');
  if (existsSync(madeFile)) {
    const made = Made.parse(JSON.parse(await readFile(madeFile, 'utf8')));
    if (made.key === key) return { eventsFile, endsAt: parseInstant(made.endsAt), lines: null };
  }
  progress('Simulating two years of a company …');
  await mkdir(folder, { recursive: true });
  const company = generateCompany(catalog, overrides);
  const out = createWriteStream(`${eventsFile}.tmp`);
  let lines = 0;
  for (const chunk of company.chunks()) {
    for (const byte of chunk) if (byte === 10) lines += 1;
    if (!out.write(chunk)) await once(out, 'drain');
  }
  out.end();
  await finished(out);
  await rename(`${eventsFile}.tmp`, eventsFile);
  // Written last: a killed demo starts its simulation again.
  await writeFile(madeFile, JSON.stringify({ key, endsAt: company.endsAt }));
  return { eventsFile, endsAt: parseInstant(company.endsAt), lines };
}

/** The current run when it already says all there is to say, else a new one. */
async function measure(runtime: Runtime, asOf: Instant): Promise<Run> {
  const { services } = runtime;
  const current = await currentRun(services.sql);
  const newest = (await services.catalogs.show())?.version ?? null;
  const isFresh =
    current !== null &&
    current.asOf === asOf &&
    current.catalogVersion === newest &&
    current.codeRevision === services.codeRevision &&
    JSON.stringify(watermarkJson(current.watermark)) ===
      JSON.stringify(watermarkJson(await services.warehouse.positions()));
  if (isFresh) return current;
  services.onProgress(`Measuring as of ${formatInstant(asOf)} …`);
  return services.transform({ asOf, onProgress: services.onProgress });
}
