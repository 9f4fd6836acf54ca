import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { InputError } from '../../core/errors.js';
import type { Stream } from '../../core/raw-event.js';
import type { LakeFiles, LakeLease } from '../lake-files.js';
import { queryOn, runOn, streamOn } from './duckdb-connections.js';
import type { DuckdbEngine } from './duckdb-engine.js';
import { sqlName, sqlText } from './duckdb-values.js';
import { EMPTY_RAW_RELATION } from './raw-tables.js';
import { Turnstile } from './turnstile.js';
import type { RunLocation, RunReader } from './warehouse.js';

/** Attaching costs about 3 ms, so the runs read last stay attached between requests. */
const IDLE_RUNS_KEPT = 2;

interface AttachedRun {
  readonly run: RunLocation;
  readonly attached: Promise<void>;
  readerCount: number;
}

/** Runs' marts files, each attached read-only under its own alias for as long as somebody reads it. */
export class AttachedRuns {
  /** In the order of last use. */
  private readonly runs = new Map<string, AttachedRun>();
  /** A run that is being detached may be wanted again: the one must end before the other begins. */
  private readonly turnstile = new Turnstile();

  constructor(
    private readonly engine: () => DuckdbEngine,
    private readonly lake: LakeFiles,
  ) {}

  async open(run: RunLocation): Promise<RunReader> {
    const entry = this.runs.get(run.runId) ?? {
      run,
      attached: this.attach(run),
      readerCount: 0,
    };
    entry.readerCount += 1;
    this.runs.delete(run.runId);
    this.runs.set(run.runId, entry);
    try {
      await entry.attached;
    } catch (error) {
      this.runs.delete(run.runId);
      throw error;
    }
    return this.reader(entry);
  }

  /** After the engine was opened anew nothing is attached to it. */
  forget(): void {
    this.runs.clear();
  }

  private reader(entry: AttachedRun): RunReader {
    const { pool } = this.engine();
    // Most readers never look at raw rows, and a lease holds up compaction.
    let lease: LakeLease | null = null;
    let isReleased = false;
    return {
      dialect: 'duckdb',
      runId: entry.run.runId,
      relation: sqlName(entry.run.runId),
      facts: (stream) => factsRelation(directoryOfRun(this.lake, entry.run), entry.run, stream),
      raw: (stream) => rawRelation((lease ??= this.lake.lease()), stream),
      query: (sql, parameters, rowSchema) =>
        pool.use((connection) => queryOn(connection, sql, parameters, rowSchema)),
      async *stream(sql, parameters, rowSchema) {
        const connection = await pool.take();
        try {
          yield* streamOn(connection, sql, parameters, rowSchema);
        } finally {
          pool.giveBack(connection);
        }
      },
      release: async () => {
        if (isReleased) return;
        isReleased = true;
        lease?.release();
        entry.readerCount -= 1;
        await this.detachIdle();
      },
    };
  }

  private async attach(run: RunLocation): Promise<void> {
    const directory = directoryOfRun(this.lake, run);
    const file = join(directory, 'marts.duckdb');
    if (!existsSync(file)) {
      throw new InputError('run_not_found', `run ${run.runId}: its marts are not in ${directory}`, {
        status: 404,
      });
    }
    await this.statement(`ATTACH ${sqlText(file)} AS ${sqlName(run.runId)} (READ_ONLY)`);
  }

  private async detachIdle(): Promise<void> {
    const idle = [...this.runs.values()].filter((entry) => entry.readerCount === 0);
    for (const entry of idle.slice(0, Math.max(0, idle.length - IDLE_RUNS_KEPT))) {
      this.runs.delete(entry.run.runId);
      await this.statement(`DETACH ${sqlName(entry.run.runId)}`);
    }
  }

  private statement(sql: string): Promise<void> {
    return this.turnstile.enter(() => this.engine().pool.use((connection) => runOn(connection, sql, {})));
  }
}

/** Runs are told from the data directory, which the lake lies in, so that one that was moved or restored reads them still. */
export function directoryOfRun(lake: LakeFiles, run: RunLocation): string {
  return resolve(dirname(lake.directory), run.location);
}

export function rawRelation(lease: LakeLease, stream: Stream): string {
  const files = lease.parts.filter((part) => part.stream === stream).map((part) => part.path);
  return files.length === 0 ? EMPTY_RAW_RELATION : parquetRelation(files);
}

function factsRelation(runDirectory: string, run: RunLocation, stream: Stream): string {
  const directory = join(runDirectory, 'facts', stream);
  const files = existsSync(directory)
    ? readdirSync(directory)
        .filter((name) => name.endsWith('.parquet'))
        .sort()
        .map((name) => join(directory, name))
    : [];
  if (files.length === 0) {
    throw new InputError('run_not_found', `run ${run.runId}: its ${stream} facts are not in ${directory}`, {
      status: 404,
    });
  }
  return parquetRelation(files);
}

function parquetRelation(files: readonly string[]): string {
  return `read_parquet([${files.map(sqlText).join(', ')}], hive_partitioning = false, union_by_name = true)`;
}
