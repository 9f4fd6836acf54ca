import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { RefusedError } from '../../core/errors.js';
import { OWN_PARTITION, STREAMS, type Stream } from '../../core/raw-event.js';
import type { ClickHouseWarehouse } from '../warehouse/clickhouse-warehouse.js';
import type { DuckdbWarehouse } from '../warehouse/duckdb-warehouse.js';
import { sqlText } from '../warehouse/duckdb-values.js';
import { RAW_COLUMN_LIST, rawTable } from '../warehouse/raw-tables.js';

import { dayDigests, differingDays, type DayDigest } from './day-digests.js';

export interface CopiedStream {
  readonly stream: Stream;
  readonly rows: bigint;
  readonly days: number;
  /** How many of the days were not there yet, or not whole. */
  readonly copiedDays: number;
}

interface CopyOptions {
  readonly now: bigint;
  readonly temporaryDirectory: string;
  readonly onProgress: (message: string) => void;
}

/**
 * Copies the embedded log's rows, with their positions: what came first stays first. Days that are there already, row for row, are left
 * alone; a day that is there in part is sent whole, since readers take one row per position. When it returns, every day of the target
 * has been compared with the source's by count and digest.
 *
 * @throws RefusedError `copy_conflict` when a day still differs: the target's partition 0 holds rows of somebody else
 */
export async function copyRawRows(
  source: DuckdbWarehouse,
  target: ClickHouseWarehouse,
  options: CopyOptions,
): Promise<CopiedStream[]> {
  const positions = await source.positions();
  const copied: CopiedStream[] = [];
  for (const stream of STREAMS) {
    const last = positions[stream].find(({ partition }) => partition === OWN_PARTITION)?.offset;
    copied.push(
      last === undefined
        ? { stream, rows: 0n, days: 0, copiedDays: 0 }
        : await copyStream(source, target, { stream, last }, options),
    );
  }
  return copied;
}

async function copyStream(
  source: DuckdbWarehouse,
  target: ClickHouseWarehouse,
  { stream, last }: { stream: Stream; last: bigint },
  { temporaryDirectory, now, onProgress }: CopyOptions,
): Promise<CopiedStream> {
  const ours = await dayDigests(source, rawTable(stream), last);
  const there = (): Promise<ReadonlyMap<string, DayDigest>> =>
    dayDigests(target, target.rawRows(stream), last);
  const missing = differingDays(ours, await there());
  for (const month of new Set(missing.map((day) => day.slice(0, 7)))) {
    onProgress(`Copying ${stream} of ${month} …`);
    const days = missing.filter((day) => day.startsWith(month));
    await copyDays(source, target, { stream, days, last, temporaryDirectory });
  }
  const different = missing.length === 0 ? [] : differingDays(ours, await there());
  if (different.length > 0) {
    throw new RefusedError(
      'copy_conflict',
      `${stream}: after the copy the target still holds other rows on ${different.slice(0, 5).join(', ')}; ` +
        'it has events of another company: give CLICKHOUSE_URL an empty database',
      { details: { stream, days: different } },
    );
  }
  const noted = (await target.positions())[stream].find(({ partition }) => partition === OWN_PARTITION);
  if (noted === undefined || noted.offset < last) await target.noteProgress(stream, OWN_PARTITION, last, now);
  const rows = [...ours.values()].reduce((sum, day) => sum + day.rows, 0n);
  return { stream, rows, days: ours.size, copiedDays: missing.length };
}

/** Through Parquet, so that no row passes through JavaScript. */
async function copyDays(
  source: DuckdbWarehouse,
  target: ClickHouseWarehouse,
  {
    stream,
    days,
    last,
    temporaryDirectory,
  }: { stream: Stream; days: readonly string[]; last: bigint; temporaryDirectory: string },
): Promise<void> {
  const file = join(temporaryDirectory, `copy-${stream}.parquet`);
  try {
    await source.run(
      `COPY (
         SELECT ${RAW_COLUMN_LIST} FROM ${rawTable(stream)}
         WHERE log_partition = ${OWN_PARTITION} AND log_offset <= ${last} AND cast(time AS date) IN (${days.map((day) => `DATE ${sqlText(day)}`).join(', ')})
         ORDER BY log_offset
       ) TO ${sqlText(file)} (FORMAT parquet)`,
    );
    await target.insertParquet(stream, file);
  } finally {
    await rm(file, { force: true });
  }
}
