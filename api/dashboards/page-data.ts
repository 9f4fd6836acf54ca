import type { Logger } from 'pino';
import { formatInstant, type Instant } from '../../core/time.js';
import { allows, type Scope } from '../../platform/key-scopes.js';
import type { Sql } from '../../platform/sql/sql.js';
import { listRuns, type Run } from '../../transforms/run-store.js';
import { apiJson } from '../json-answer.js';
import type { Services } from '../services.js';
import { PAGE_MACROS } from './page-macros.js';
import { PageEngine, tablesIn } from './page-engine.js';
import {
  DASHBOARD_TABLES,
  pageAt,
  pagesFor,
  tableNamed,
  type DashboardPage,
  type DashboardTableName,
} from './pages.js';
import { remembered } from './remembered.js';
import { TableFiles, type TableFile, type TablesByName } from './table-files.js';

/** What the pages' code is told first: which run there is, and what of it this reader may have. */
export interface Manifest {
  readonly run: string;
  readonly asOf: string;
  readonly finishedAt: string;
  /** The run after it, where that was not published. */
  readonly failed: { readonly at: string; readonly why: string } | null;
  /** By name: where it is. What is in it comes with it. */
  readonly tables: Readonly<Record<string, string>>;
  /** Statements that make what pages call beside DuckDB's own. */
  readonly macros: readonly string[];
  /** By page: where answers to its first questions are. */
  readonly prepared: Readonly<Record<string, string>>;
}

/** Runs whose answers are kept in memory: the one that is read now, and the one that pages were opened with. */
const ANSWERS_KEPT = 2;

/** Everything that pages read, of one run at a time. */
export class PageData {
  private readonly engine = new PageEngine();
  private readonly files: TableFiles;
  private readonly sql: Sql;
  private readonly logger: Logger;
  private readonly answers = new Map<string, Promise<Uint8Array>>();
  /** One page after the other: each has an engine and its memory. */
  private queue: Promise<unknown> = Promise.resolve();

  constructor(
    services: Services,
    /** What each page asks when it is opened, by its route. */
    private readonly queries: Readonly<Record<string, readonly string[]>>,
  ) {
    this.sql = services.sql;
    this.logger = services.logger;
    this.files = new TableFiles(services, services.dashboards.tablesDirectory, this.engine);
  }

  async manifest(run: Run, scopes: readonly Scope[]): Promise<Manifest> {
    const tables = Object.entries(DASHBOARD_TABLES)
      .filter(([, { needs }]) => allows(scopes, needs))
      .map(([name, { of }]) => [name, `${of === 'run' ? run.runId : 'now'}/${name}.parquet`]);
    const pages = new Set(pagesFor(scopes));
    const prepared = this.routes()
      .filter(({ page }) => pages.has(page))
      .map(({ route }) => [route, `${run.runId}/${nameOf(route)}.json`]);
    return {
      run: run.runId,
      asOf: formatInstant(run.asOf),
      finishedAt: formatInstant(run.finishedAt ?? run.startedAt),
      failed: await this.failedAfter(run),
      macros: PAGE_MACROS,
      tables: Object.fromEntries(tables) as Record<string, string>,
      prepared: Object.fromEntries(prepared) as Record<string, string>,
    };
  }

  /** Pages that ask something when they are opened, and which page of the navigation each belongs to. */
  routes(): readonly { readonly route: string; readonly page: DashboardPage }[] {
    return Object.entries(this.queries).flatMap(([route, queries]) => {
      const page = pageAt(route.slice(1));
      return page === undefined || queries.length === 0 ? [] : [{ route, page }];
    });
  }

  private async failedAfter({ runId }: Run): Promise<Manifest['failed']> {
    const [newest] = await listRuns(this.sql, { limit: 1 });
    if (newest === undefined || newest.status !== 'failed' || newest.runId < runId) return null;
    return {
      at: formatInstant(newest.finishedAt ?? newest.startedAt),
      why: (newest.failure ?? '').split('\n', 1)[0] ?? '',
    };
  }

  table(run: Run, name: DashboardTableName, now: Instant): Promise<TableFile> {
    return DASHBOARD_TABLES[name].of === 'now' ? this.files.now(run, name, now) : this.files.ofRun(run, name);
  }

  /** Answers to what a page asks when it is opened, as JSON; null of a page that asks nothing. */
  async prepared(run: Run, route: string): Promise<Uint8Array | null> {
    const queries = this.queries[route];
    if (queries === undefined) return null;
    const answers = remembered(this.answers, `${run.runId} ${route}`, async () => {
      const tables = await this.tablesOf(run, queries);
      const onMissing = (what: string): void => {
        this.logger.warn(
          { runId: run.runId, route, what },
          'dashboards: a page asks for what the run has not',
        );
      };
      const answered = this.queue.then(() => this.engine.answers(queries, tables, onMissing));
      this.queue = answered.catch(() => undefined);
      return new TextEncoder().encode(apiJson(await answered));
    });
    this.dropOldest();
    return answers;
  }

  /** Those of the run that the queries read. */
  private async tablesOf(run: Run, queries: readonly string[]): Promise<TablesByName> {
    const tables = new Map<string, TableFile>();
    for (const asked of new Set(queries.flatMap(tablesIn))) {
      const name = tableNamed(asked);
      if (name !== undefined && DASHBOARD_TABLES[name].of === 'run')
        tables.set(name, await this.files.ofRun(run, name));
    }
    return tables;
  }

  private dropOldest(): void {
    const most = ANSWERS_KEPT * Object.keys(this.queries).length;
    for (const oldest of this.answers.keys()) {
      if (this.answers.size <= most) return;
      this.answers.delete(oldest);
    }
  }
}

/** Of a page's answers: `growth`; the first page's are `overview`. */
export const nameOf = (route: string): string =>
  route === '/' ? 'overview' : route.slice(1).replaceAll('/', '-');
