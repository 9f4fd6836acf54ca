import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildCommands } from '../support/build-commands.js';
import { benchDashboards } from './dashboards.js';
import { benchEngines } from './engines.js';
import { writeCompany } from './event-files.js';
import { benchFileIngest, benchIngestMemory } from './file-ingest.js';
import { printFigures, type Figure } from './figure.js';
import { benchBatches, benchSingles } from './http-ingest.js';
import { benchMetricReads } from './metric-reads.js';
import { benchOverageRating } from './overage-rating.js';
import { benchOverageRuns } from './overage-run.js';
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

/** Written for the first who needs it. */
function companyOf(
  millions: number,
): () => Promise<{ file: string } & Awaited<ReturnType<typeof writeCompany>>> {
  const write = async () => {
    const file = join(directory, `company-${millions}.ndjson`);
    console.error(`writing a company of ${millions} million events …`);
    return { file, ...(await writeCompany(file, millions * 1_000_000)) };
  };
  let written: ReturnType<typeof write> | null = null;
  return () => (written ??= write());
}

const commands = await buildCommands();
process.env['HEADGATE_TEST_COMMANDS'] = commands;
const small = companyOf(1);
const large = values.large ? companyOf(10) : small;
try {
  await measure('ingest', async () => {
    const { file, lines } = await small();
    return benchFileIngest(file, lines, directory);
  });
  await measure('batches', benchBatches);
  await measure('singles', benchSingles);
  await measure('engines', benchEngines);
  await measure('reads', async () => {
    const { file, endsAt } = await small();
    return benchMetricReads(file, endsAt);
  });
  await measure('rating', () => benchOverageRating(values.large ? 10_000_000 : 1_000_000));
  await measure('billing', () => benchOverageRuns(values.large ? 5_000 : 500, directory));
  await measure('quota', () => benchQuotaCheck(directory, values.large ? 10_000_000 : 1_000_000));
  await measure('memory', async () => {
    const { file, bytes } = await large();
    return benchIngestMemory(file, bytes, directory);
  });
  await measure('transform', async () => benchTransform(await large()));
  if (!values.large) await measure('clickhouse', async () => benchClickHouseTransform(await small()));
  await measure('dashboards', () => benchDashboards(directory));
} finally {
  if (figures.length > 0) printFigures(figures);
  for (const folder of [directory, commands]) rmSync(folder, { recursive: true, force: true });
}
