import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MICROS_PER_DAY, type Instant } from '../../core/time.js';
import type { Run } from '../../transforms/run-store.js';
import type { Services } from '../services.js';
import { suppliedTablesOrEmpty } from '../sql/supplied-tables.js';
import { DASHBOARD_TABLES, type DashboardTableName } from './pages.js';
import type { PageEngine, Column } from './page-engine.js';
import { remembered } from './remembered.js';

/** A table as the browser gets it. */
export interface TableFile {
  readonly name: DashboardTableName;
  readonly path: string;
  readonly rows: number;
  readonly columns: readonly Column[];
  /** Of what is made anew whenever it is asked for: the next one has its place. */
  readonly bytes?: Uint8Array;
}

export type TablesByName = ReadonlyMap<string, TableFile>;

/** Pages that are open go on reading the run they began with; what is older was closed long ago, or is made again. */
const RUNS_KEPT = 3;
/** Rating all of a company's past takes long, and nobody looks there. */
const USAGE_OF = 100n * MICROS_PER_DAY;

/**
 * Marts as Parquet, for the engine in the browser: made by the warehouse when they are first asked for, kept on disk for as long as their
 * run is among the last few. A published run never changes, and neither do these.
 */
export class TableFiles {
  private readonly ofRuns = new Map<string, Promise<TableFile>>();
  private readonly ofNow = new Map<DashboardTableName, Promise<TableFile>>();
  /** The warehouse makes one at a time: people's SQL has its turn too. */
  private queue: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly services: Services,
    private readonly directory: string,
    private readonly engine: PageEngine,
  ) {}

  /** @throws RefusedError where the run's marts are gone; UnavailableError where the warehouse is away */
  ofRun(run: Run, name: DashboardTableName): Promise<TableFile> {
    return remembered(this.ofRuns, `${run.runId} ${name}`, async () => {
      const folder = join(this.directory, run.runId);
      const isFirst = (await mkdir(folder, { recursive: true })) !== undefined;
      if (isFirst) await this.dropOlderThan(run.runId);
      const path = join(folder, `${name}.parquet`);
      if (!existsSync(path)) await this.make(run, name, path, run.asOf);
      return this.fileAt(path, name);
    });
  }

  /** What the ledger says now; people who ask in the same moment share one answer. */
  async now(run: Run, name: DashboardTableName, now: Instant): Promise<TableFile> {
    const made = remembered(this.ofNow, name, async () => {
      const folder = join(this.directory, 'now');
      await mkdir(folder, { recursive: true });
      const path = join(folder, `${name}.parquet`);
      await this.make(run, name, path, now);
      return { ...(await this.fileAt(path, name)), bytes: await readFile(path) };
    });
    return made.finally(() => this.ofNow.delete(name));
  }

  /** Whole under its name, or not there: a process that dies half-way leaves nothing that looks like a table, and who reads the last one goes on. */
  private async make(run: Run, name: DashboardTableName, path: string, now: Instant): Promise<void> {
    const { sql } = DASHBOARD_TABLES[name];
    const made = this.queue.then(() =>
      this.services.pageSql.parquet(run, sql, () =>
        suppliedTablesOrEmpty(sql, { run, services: this.services, now, usageSince: run.asOf - USAGE_OF }),
      ),
    );
    this.queue = made.catch(() => undefined);
    await writeFile(`${path}.tmp`, await made);
    await rename(`${path}.tmp`, path);
  }

  private async fileAt(path: string, name: DashboardTableName): Promise<TableFile> {
    return { name, path, ...(await this.engine.shapeOf(path)) };
  }

  /** Run ids sort by when they were made. */
  private async dropOlderThan(runId: string): Promise<void> {
    const older = (await readdir(this.directory)).filter((one) => isRun(one) && one < runId).sort();
    for (const old of older.slice(0, Math.max(0, older.length - (RUNS_KEPT - 1)))) {
      for (const key of this.ofRuns.keys()) if (key.startsWith(`${old} `)) this.ofRuns.delete(key);
      await rm(join(this.directory, old), { recursive: true, force: true });
    }
  }
}

const isRun = (folder: string): boolean => folder.startsWith('run_');
