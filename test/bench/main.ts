import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchEngines } from './engines.js';
import { writeCompany } from './event-files.js';
import { benchFileIngest, benchIngestMemory } from './file-ingest.js';
import { printFigures, type Figure } from './figure.js';
import { benchBatches, benchSingles } from './http-ingest.js';
import { benchMetricReads } from './metric-reads.js';
import { benchOverageRating } from './overage-rating.js';
import { benchOverageRun } from './overage-run.js';
import { benchQuotaCheck } from './quota-check.js';
import { benchClickHouseTransform, benchTransform } from './transform.js';

/*
 * Speeds, each beside its floor in the same run. `npm run bench`: 1 million events.
 * `npm run bench -- --large`: 10 million. `--only ingest,batches` picks some.
 */
const { values } = parseArgs({
  options: { large: { type: 'boolean', default: false }, only: { type: 'string' } },
});
const wanted = values.only?.split(',');
const directory = mkdtempSync(join(tmpdir(), 'headgate-bench-'));
const figures: Figure[] = [];

async function measure(name: string, work: () => Promise<Figure | Figure[]>): Promise<void> {
  if (wanted !== undefined && !wanted.includes(name)) return;
  console.error(`${name} …`);
  const made = [await work()].flat();
  // Said at once: what a later measurement fails at must not lose it.
  printFigures(made);
  figures.push(...made);
}

try {
  const file = join(directory, 'company.ndjson');
  console.error('writing a company of 1 million events …');
  const company = await writeCompany(file, 1_000_000);
  await measure('ingest', () => benchFileIngest(file, company.lines, directory));
  await measure('batches', benchBatches);
  await measure('singles', benchSingles);
  await measure('engines', benchEngines);
  await measure('reads', () => benchMetricReads(file, company.endsAt));
  await measure('rating', () => benchOverageRating(values.large ? 10_000_000 : 1_000_000));
  await measure('billing', () => benchOverageRun(values.large ? 5_000 : 500, directory));
  await measure('quota', () => benchQuotaCheck(directory, values.large ? 10_000_000 : 1_000_000));
  if (values.large) {
    const large = join(directory, 'large.ndjson');
    console.error('writing a company of 10 million events …');
    const written = await writeCompany(large, 10_000_000);
    await measure('memory', () => benchIngestMemory(large, written.bytes, directory));
    await measure('transform', () => benchTransform({ file: large, ...written }));
  } else {
    await measure('memory', () => benchIngestMemory(file, company.bytes, directory));
    await measure('transform', () => benchTransform({ file, ...company }));
    await measure('clickhouse', () => benchClickHouseTransform({ file, ...company }));
  }
} finally {
  if (figures.length > 0) printFigures(figures);
  rmSync(directory, { recursive: true, force: true });
}
