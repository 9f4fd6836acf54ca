import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { OWN_PARTITION, STREAMS, type Stream, type WatermarkVector } from '../core/raw-event.js';
import { syncDirectory, syncFile } from './durable-file.js';
import type { LakeFiles, LakePart } from './lake-files.js';
import type { DuckdbWarehouse } from './warehouse/duckdb-warehouse.js';
import { sqlText } from './warehouse/duckdb-values.js';
import { RAW_COLUMN_LIST, rawTable } from './warehouse/raw-tables.js';
import { Turnstile } from './warehouse/turnstile.js';

export interface LakeExport {
  readonly parts: readonly LakePart[];
  readonly rows: bigint;
}

/** Day and subject first: facts are built by them. Position last, so that equal rows give equal files. */
const PART_ORDER = `date_trunc('day', time), subject, log_offset`;
/** Smaller groups keep both the sort's memory and what a filter on day must read small. */
const PARQUET_OPTIONS = 'FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 61440';

const Progress = z.object({ from_offset: z.bigint(), to_offset: z.bigint(), is_done: z.boolean() });
const MonthRow = z.object({ month: z.string(), rows: z.bigint() });

/**
 * Raw rows as Parquet, for those who can't open the warehouse while this process does: dbt, and people's own SQL.
 * Every row at or below an export's watermark is in exactly one current part.
 */
export class Lake {
  private readonly turnstile = new Turnstile();

  private constructor(
    private readonly warehouse: DuckdbWarehouse,
    readonly files: LakeFiles,
  ) {}

  /** Clears what a killed process left. */
  static open(warehouse: DuckdbWarehouse, files: LakeFiles): Lake {
    files.removeLeftovers();
    return new Lake(warehouse, files);
  }

  /**
   * Writes the rows that no part has yet, up to `watermark`. When it returns they are durable. Killed in between, the
   * next call writes the same files again, under the same names.
   */
  export(watermark: WatermarkVector): Promise<LakeExport> {
    return this.turnstile.enter(async () => {
      const parts: LakePart[] = [];
      let rows = 0n;
      for (const stream of STREAMS) {
        const to = watermark[stream].find(({ partition }) => partition === OWN_PARTITION)?.offset ?? 0n;
        const exported = await this.exportStream(stream, to);
        parts.push(...exported.parts);
        rows += exported.rows;
      }
      return { parts, rows };
    });
  }

  /** The highest offset that each stream's parts hold. */
  async exportedTo(stream: Stream): Promise<bigint> {
    const progress = await this.progress(stream);
    return progress.reduce((last, row) => (row.is_done && row.to_offset > last ? row.to_offset : last), 0n);
  }

  /**
   * Merges a month's parts into one where there are at least `minimumParts`. It waits for nobody: with a reader about
   * it does nothing and returns 0, and the next day's call does it. A kill in between leaves either the old parts, or
   * the new one beside some old ones, which then no longer count.
   */
  compact({ minimumParts }: { minimumParts: number }): Promise<number> {
    return this.turnstile.enter(async () => {
      let merged = 0;
      for (const parts of partsByMonth(this.files.parts())) {
        if (this.files.hasReaders()) return merged;
        if (parts.length < Math.max(2, minimumParts)) continue;
        if (await this.mergeMonth(parts)) merged += 1;
      }
      return merged;
    });
  }

  private async exportStream(stream: Stream, to: bigint): Promise<LakeExport> {
    const progress = await this.progress(stream);
    const unfinished = progress.find((row) => !row.is_done);
    const results: LakeExport[] = [];
    if (unfinished)
      results.push(await this.exportRange(stream, unfinished.from_offset, unfinished.to_offset));
    const from = (await this.exportedTo(stream)) + 1n;
    if (to >= from) {
      await this.warehouse.run(`INSERT INTO lake_exports VALUES ($stream, $from, $to, false)`, {
        stream,
        from,
        to,
      });
      results.push(await this.exportRange(stream, from, to));
    }
    return {
      parts: results.flatMap(({ parts }) => parts),
      rows: results.reduce((sum, { rows }) => sum + rows, 0n),
    };
  }

  private async exportRange(stream: Stream, from: bigint, to: bigint): Promise<LakeExport> {
    const months = await this.warehouse.query(
      `SELECT strftime(time, '%Y-%m') AS month, count(*) AS rows FROM ${rawTable(stream)}
       WHERE log_offset BETWEEN $from AND $to GROUP BY ALL ORDER BY ALL`,
      { from, to },
      MonthRow,
    );
    const parts: LakePart[] = [];
    for (const { month } of months) {
      parts.push(
        await this.writePart(
          { stream, month, fromOffset: from, toOffset: to },
          `SELECT ${RAW_COLUMN_LIST} FROM ${rawTable(stream)}
           WHERE log_offset BETWEEN ${from} AND ${to}
             AND time >= DATE '${month}-01' AND time < DATE '${month}-01' + INTERVAL 1 MONTH`,
        ),
      );
    }
    // Several finished ranges become one row, or the table would grow with every export.
    await this.warehouse.runTogether([
      ['DELETE FROM lake_exports WHERE stream = $stream', { stream }],
      ['INSERT INTO lake_exports VALUES ($stream, 1, $to, true)', { stream, to }],
    ]);
    return { parts, rows: months.reduce((sum, { rows }) => sum + rows, 0n) };
  }

  private async mergeMonth(parts: readonly LakePart[]): Promise<boolean> {
    const [first] = parts;
    const last = parts.at(-1);
    if (!first || !last) return false;
    const files = parts.map(({ path }) => sqlText(path)).join(', ');
    const path = this.files.partPath(first.stream, first.month, first.fromOffset, last.toOffset);
    const temporary = await this.writeTemporary(
      path,
      `SELECT ${RAW_COLUMN_LIST} FROM read_parquet([${files}], hive_partitioning = false)`,
    );
    if (this.files.hasReaders()) {
      rmSync(temporary);
      return false;
    }
    // No await between here and the last removal: nobody can take a lease and see both, or neither.
    renameSync(temporary, path);
    for (const part of parts) rmSync(part.path);
    this.files.changed();
    await syncDirectory(this.files.monthDirectory(first.stream, first.month));
    return true;
  }

  private async writePart(
    { stream, month, fromOffset, toOffset }: Omit<LakePart, 'path'>,
    select: string,
  ): Promise<LakePart> {
    const path = this.files.partPath(stream, month, fromOffset, toOffset);
    const directory = this.files.monthDirectory(stream, month);
    if (mkdirSync(directory, { recursive: true }) !== undefined) await syncDirectory(dirname(directory));
    renameSync(await this.writeTemporary(path, select), path);
    this.files.changed();
    await syncDirectory(directory);
    return { stream, month, fromOffset, toOffset, path };
  }

  /** The part under a name that no reader looks at, its bytes on the disk. */
  private async writeTemporary(path: string, select: string): Promise<string> {
    const temporary = `${path}.tmp`;
    try {
      await this.warehouse.run(
        `COPY (${select} ORDER BY ${PART_ORDER}) TO ${sqlText(temporary)} (${PARQUET_OPTIONS})`,
      );
      await syncFile(temporary);
      return temporary;
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  }

  private progress(stream: Stream): Promise<z.infer<typeof Progress>[]> {
    return this.warehouse.query(
      'SELECT from_offset, to_offset, is_done FROM lake_exports WHERE stream = $stream',
      { stream },
      Progress,
    );
  }
}

function partsByMonth(parts: readonly LakePart[]): LakePart[][] {
  const months = new Map<string, LakePart[]>();
  for (const part of parts) {
    const key = `${part.stream}/${part.month}`;
    months.set(key, [...(months.get(key) ?? []), part]);
  }
  return [...months.values()];
}
