import { formatInstant, type Instant } from '../../core/time.js';
import { allows, type Scope } from '../../platform/key-scopes.js';
import type { Run } from '../../transforms/run-store.js';
import { apiJson } from '../json-answer.js';
import type { Services } from '../services.js';
import { PAGE_MACROS } from './page-macros.js';
import { PageEngine, tablesIn } from './page-engine.js';
import { DASHBOARD_TABLES, pagesFor, tableNamed, type DashboardTableName } from './pages.js';
import { remembered } from './remembered.js';
import { TableFiles, type TableFile, type TablesByName } from './table-files.js';

/** What the pages' code is told first: which run there is, and what of it this reader may have. */
export interface Manifest {
  readonly run: string;
  readonly asOf: string;
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
  private readonly answers = new Map<string, Promise<Uint8Array>>();

  constructor(
    services: Services,
    /** What each page asks when it is opened, by its route. */
    private readonly queries: Readonly<Record<string, readonly string[]>>,
  ) {
    this.files = new TableFiles(services, services.dashboards.tablesDirectory, this.engine);
  }

  manifest(run: Run, scopes: readonly Scope[]): Manifest {
    const tables = Object.entries(DASHBOARD_TABLES)
      .filter(([, { needs }]) => allows(scopes, needs))
      .map(([name, { of }]) => [name, `${of === 'run' ? run.runId : 'now'}/${name}.parquet`]);
    const prepared = pagesFor(scopes)
      .map(({ path }) => `/${path}`)
      .filter((route) => (this.queries[route] ?? []).length > 0)
      .map((route) => [route, `${run.runId}/${nameOf(route)}.json`]);
    return {
      ...{ run: run.runId, asOf: formatInstant(run.asOf), macros: PAGE_MACROS },
      tables: Object.fromEntries(tables) as Record<string, string>,
      prepared: Object.fromEntries(prepared) as Record<string, string>,
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
      return new TextEncoder().encode(apiJson(await this.engine.answers(queries, tables)));
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
