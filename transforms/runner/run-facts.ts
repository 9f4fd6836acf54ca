import { existsSync } from 'node:fs';
import { link, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { STREAMS, type Stream } from '../../core/raw-event.js';
import type { BulkSession, BulkWarehouse } from '../../platform/warehouse/bulk-warehouse.js';
import { readKeptFacts, withFactsFile } from './kept-facts.js';
import type { KeptFacts } from './run-builder.js';

export interface RunFactsExport {
  /** The run's folder under construction. */
  readonly build: string;
  readonly factsFile: string;
  /** What the facts stood at before this build, and the folder of the run that left them so. */
  readonly before: KeptFacts | null;
  readonly previousRunDirectory: string | null;
}

const Month = z.object({ month: z.string() });
const monthFile = (month: string): string => `month=${month}.parquet`;

/**
 * Writes a run's facts as Parquet, a file per stream and month, so that readers need neither the facts file nor the raw rows.
 * Months that nothing touched since the previous run are its files again (hard links): the cost follows what is new.
 */
export async function exportRunFacts(warehouse: BulkWarehouse, request: RunFactsExport): Promise<void> {
  const after = await readKeptFacts(warehouse, request.factsFile);
  // Untouched months may only be taken from the very run whose facts this build went on from.
  const previous =
    after?.wasIncremental === true && request.before !== null ? request.previousRunDirectory : null;
  await withFactsFile(warehouse, request.factsFile, async (session) => {
    for (const stream of STREAMS) await exportStream(session, stream, request.build, previous);
  });
}

async function exportStream(
  session: BulkSession,
  stream: Stream,
  build: string,
  previousRunDirectory: string | null,
): Promise<void> {
  const folder = join(build, 'facts', stream);
  await mkdir(folder, { recursive: true });
  const previousFolder = previousRunDirectory === null ? null : join(previousRunDirectory, 'facts', stream);
  const months = await session.query(
    `select distinct strftime(day, '%Y-%m') as month from facts.main.fct_${stream} order by month`,
    {},
    Month,
  );
  const touched =
    previousFolder === null || !existsSync(previousFolder)
      ? null
      : await touchedMonths(session, stream, await readdir(previousFolder));
  for (const { month } of months) {
    if (touched !== null && previousFolder !== null && !touched.has(month)) {
      await link(join(previousFolder, monthFile(month)), join(folder, monthFile(month)));
      continue;
    }
    await writeMonth(session, stream, join(folder, monthFile(month)), month);
  }
  // Readers of a stream that nothing came into yet find its columns.
  if (months.length === 0) await writeMonth(session, stream, join(folder, 'empty.parquet'), '1970-01');
}

async function writeMonth(session: BulkSession, stream: Stream, path: string, month: string): Promise<void> {
  const subject = stream === 'executions' ? 'org_id' : 'subject';
  await session.run(
    `copy (
       select * from facts.main.fct_${stream}
       where day >= cast($first as date) and day < cast($first as date) + interval 1 month
       order by ${subject}, "at", source, event_id
     ) to '${path.replaceAll("'", "''")}' (format parquet)`,
    { first: `${month}-01` },
  );
}

/** Months with a rebuilt key, and months that the previous run had no file for. */
async function touchedMonths(
  session: BulkSession,
  stream: Stream,
  previousFiles: readonly string[],
): Promise<ReadonlySet<string>> {
  const dirty = await session.query(
    `select distinct strftime(day, '%Y-%m') as month from facts.main.dirty_keys where stream = $stream
     union select distinct strftime(day, '%Y-%m') from facts.main.fct_${stream}
     where not list_contains(string_split($files, ','), 'month=' || strftime(day, '%Y-%m') || '.parquet')`,
    { stream, files: previousFiles.join(',') },
    Month,
  );
  return new Set(dirty.map(({ month }) => month));
}
