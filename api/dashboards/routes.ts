import { readFile } from 'node:fs/promises';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { HeadgateError, InputError, RefusedError } from '../../core/errors.js';
import type { ApiKey } from '../../platform/api-keys.js';
import { allows, type Scope } from '../../platform/key-scopes.js';
import { sha256 } from '../../platform/sha256.js';
import type { Run } from '../../transforms/run-store.js';
import { answerHeaders } from '../answer-headers.js';
import { apiJson } from '../json-answer.js';
import type { Services } from '../services.js';
import { ASK_AGAIN, fileAnswer, FOR_EVER, HTML, pageHeaders, siteAnswer } from './file-answer.js';
import { nameOf, PageData } from './page-data.js';
import { DASHBOARD_TABLES, neededFor, pageAt, pagesFor, tableNamed } from './pages.js';
import { PLAIN_POLICY, plainPage, type PlainPage } from './plain-page.js';
import { neededForRows, rowsBehind, rowsCsv } from './rows-behind.js';
import { rowsPage } from './rows-page.js';
import { Sessions } from './session.js';
import { signInRoutes, type Exchange } from './sign-in.js';
import { Site } from './site.js';

const JSON_TYPE = 'application/json; charset=utf-8';
const ROWS_ON_PAGE = 500;
/** As many as the API gives at once. */
const ROWS_IN_CSV = 100_000;
const PAGE_PATH = /^[A-Za-z0-9_/-]*$/;

/**
 * The dashboards behind sign-in. Pages hold no data: they are built once and read tables of the run that is current, each of which is
 * given to those alone who may read it.
 */
export function dashboardRoutes(app: OpenAPIHono, services: Services, exchange: Exchange): void {
  const { keys, clock, vault } = services;
  const sessions = new Sessions({ keys, clock, sessionKey: vault.derivedKey('dashboard sessions') });
  signInRoutes(app, { keys, clock, sessions }, exchange);
  new Dashboards(services, sessions).mount(app, exchange);
}

class Dashboards {
  private built: { readonly site: Site; readonly data: PageData } | null = null;

  constructor(
    private readonly services: Services,
    private readonly sessions: Sessions,
  ) {}

  mount(app: OpenAPIHono, exchange: Exchange): void {
    const answer = (path: string, work: (context: Context, requestId: string) => Promise<Response>): void => {
      app.get(path, (context) => exchange(context, path, (requestId) => work(context, requestId)));
    };
    answer('/dashboards/session.json', (context, requestId) => this.session(context, requestId));
    answer('/dashboards/data/manifest.json', (context, requestId) => this.manifest(context, requestId));
    answer('/dashboards/data/:run/:file', (context, requestId) => this.data(context, requestId));
    answer('/dashboards/rows/:file', (context, requestId) => this.rows(context, requestId));
    answer('/dashboards', (context, requestId) => this.page(context, requestId, ''));
    answer('/dashboards/*', (context, requestId) =>
      this.page(context, requestId, context.req.path.slice('/dashboards/'.length)),
    );
  }

  /** Who is signed in, and what they may open. */
  private async session(context: Context, requestId: string): Promise<Response> {
    const { name, role, scopes } = await this.requireKey(context);
    const pages = pagesFor(scopes).map(({ path, title }) => ({ path, title }));
    return new Response(apiJson({ name, role, pages }), { headers: answerHeaders(requestId, JSON_TYPE) });
  }

  private async manifest(context: Context, requestId: string): Promise<Response> {
    const { scopes } = await this.requireKey(context);
    const run = await this.services.runs.choose({});
    const { data } = this.requireBuilt();
    const body = apiJson(await data.manifest(run, scopes));
    return fileAnswer(context, requestId, {
      ...{ bytes: new TextEncoder().encode(body), mediaType: JSON_TYPE, contentHash: sha256(body) },
      cacheControl: ASK_AGAIN,
    });
  }

  private async data(context: Context, requestId: string): Promise<Response> {
    const { scopes } = await this.requireKey(context);
    const [, name = '', extension] =
      /^([a-z0-9_-]+)\.(parquet|json)$/.exec(context.req.param('file') ?? '') ?? [];
    const runId = context.req.param('run') ?? '';
    const found =
      extension === 'json' ? this.answersOf(name, runId, scopes) : this.tableOf(name, runId, scopes);
    const sent = await found;
    if (sent === null) throw nothingHere(context);
    const { bytes, headers = {} } = sent;
    return fileAnswer(context, requestId, {
      bytes: new Uint8Array(bytes),
      headers,
      mediaType: extension === 'json' ? JSON_TYPE : 'application/vnd.apache.parquet',
      contentHash: sha256(bytes),
      cacheControl: runId === 'now' ? ASK_AGAIN : FOR_EVER,
    });
  }

  private async tableOf(asked: string, runId: string, scopes: readonly Scope[]): Promise<Sent | null> {
    const name = tableNamed(asked);
    if (name === undefined) return null;
    const { needs, of } = DASHBOARD_TABLES[name];
    requireScope(scopes, needs, `the table ${name}`);
    if ((of === 'now') !== (runId === 'now')) return null;
    const run = await this.services.runs.choose(of === 'now' ? {} : { runId });
    const table = await this.requireBuilt().data.table(run, name, this.services.clock());
    // A reader of Parquet in the browser can't read a file without rows.
    const shape = { rows: table.rows, columns: table.columns };
    return {
      bytes: table.bytes ?? (await readFile(table.path)),
      headers: { 'headgate-table': apiJson(shape) },
    };
  }

  private async answersOf(name: string, runId: string, scopes: readonly Scope[]): Promise<Sent | null> {
    const { data } = this.requireBuilt();
    const found = data.routes().find(({ route }) => nameOf(route) === name);
    if (found === undefined) return null;
    const { route, page } = found;
    for (const needs of neededFor(page)) requireScope(scopes, needs, `the page ${page.title}`);
    const run = await this.services.runs.choose({ runId });
    const answers = await data.prepared(run, route);
    return answers === null ? null : { bytes: answers };
  }

  private async page(context: Context, requestId: string, path: string): Promise<Response> {
    const key = await this.sessions.keyOf(context);
    const isPage = PAGE_PATH.test(path);
    if (key === null && !isPage) throw signedOut();
    if (key === null) return toSignIn(context);
    const built = this.open();
    if (built === null) return plain(requestId, 503, NOT_BUILT);
    const file = built.site.find(path);
    if (file === undefined && isPage) return plain(requestId, 404, NO_PAGE);
    if (file === undefined) throw nothingHere(context);
    if (file.mediaType !== HTML) return siteAnswer(context, requestId, file);
    const page = pageAt(path);
    const missing = page === undefined ? [] : neededFor(page).filter((scope) => !allows(key.scopes, scope));
    if (missing.length > 0) return plain(requestId, 403, notForYou(missing, key));
    if ((await this.currentRun()) === null) return plain(requestId, 503, NO_RUN);
    return siteAnswer(context, requestId, file);
  }

  /** The events behind a number, as a page or as CSV. */
  private async rows(context: Context, requestId: string): Promise<Response> {
    const [, name = '', csv] = /^([a-z0-9_]{1,80})(\.csv)?$/.exec(context.req.param('file') ?? '') ?? [];
    const key = await this.sessions.keyOf(context);
    if (key === null) return toSignIn(context);
    try {
      requireScope(key.scopes, neededForRows(name), `what is behind ${name}`);
      const limit = csv === undefined ? ROWS_ON_PAGE : ROWS_IN_CSV;
      const behind = await rowsBehind(name, context.req.query(), limit, this.services);
      if (csv !== undefined) {
        const headers = answerHeaders(requestId, 'text/csv; charset=utf-8', {
          'content-disposition': `attachment; filename="${name}.csv"`,
        });
        return new Response(rowsCsv(behind.rows), { headers });
      }
      const csvAddress = `/dashboards/rows/${name}.csv${new URL(context.req.url).search}`;
      const headers = answerHeaders(requestId, HTML, pageHeaders(PLAIN_POLICY));
      return context.html(await rowsPage(behind, csvAddress), 200, headers);
    } catch (error) {
      if (!(error instanceof InputError || error instanceof RefusedError)) throw error;
      const page = { title: 'These rows can’t be shown', text: error.message, link: TO_OVERVIEW };
      return plain(requestId, error.status, page);
    }
  }

  /** Looked for again until it is there: pages may be built while the server runs. */
  private open() {
    if (this.built !== null) return this.built;
    const site = Site.open(this.services.dashboards.siteDirectory);
    if (site !== null) this.built = { site, data: new PageData(this.services, site.queries) };
    return this.built;
  }

  private requireBuilt() {
    const built = this.open();
    if (built !== null) return built;
    throw new RefusedError('not_found', `${NOT_BUILT.text} Build them with: headgate dashboards build`, {
      status: 503,
    });
  }

  private async requireKey(context: Context): Promise<ApiKey> {
    const key = await this.sessions.keyOf(context);
    if (key === null) throw signedOut();
    return key;
  }

  private async currentRun(): Promise<Run | null> {
    try {
      return await this.services.runs.choose({});
    } catch (error) {
      if (error instanceof HeadgateError && error.code === 'no_run') return null;
      throw error;
    }
  }
}

interface Sent {
  readonly bytes: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

const TO_OVERVIEW = { href: '/dashboards', text: 'Back to the overview' };
const NOT_BUILT: PlainPage = {
  title: 'The pages are not built yet',
  text: 'They are built once for each version of Headgate, which takes a minute or two. The numbers are there without them: headgate metrics.',
  command: 'headgate dashboards build',
};
const NO_RUN: PlainPage = {
  title: 'There are no numbers yet',
  text: 'Pages show what the last run of the transforms measured, and there was none. Take in events, then make one:',
  command: 'headgate transform',
};

const NO_PAGE: PlainPage = {
  title: 'There is no such page',
  text: 'The address may be cut off.',
  link: TO_OVERVIEW,
};

const notForYou = (missing: readonly Scope[], key: ApiKey): PlainPage => ({
  title: 'This page is not for your key',
  text: `It needs ${missing.join(' and ')}; your key may ${key.scopes.join(', ')}.`,
  link: TO_OVERVIEW,
});

/** @throws RefusedError (403) `scope_missing` */
function requireScope(scopes: readonly Scope[], needs: Scope, what: string): void {
  if (allows(scopes, needs)) return;
  throw new RefusedError('scope_missing', `${what} needs the scope ${needs}, and your key has it not`, {
    status: 403,
    details: { needed: [needs] },
  });
}

async function plain(requestId: string, status: number, page: PlainPage): Promise<Response> {
  const headers = answerHeaders(requestId, HTML, pageHeaders(PLAIN_POLICY));
  return new Response(String(await plainPage(page)), { status, headers });
}

function toSignIn(context: Context): Response {
  const to = new URL(context.req.url);
  return context.redirect(`/dashboards/sign-in?to=${encodeURIComponent(to.pathname + to.search)}`, 303);
}

function signedOut(): RefusedError {
  return new RefusedError('key_missing', 'nobody is signed in; open /dashboards/sign-in', { status: 401 });
}

function nothingHere(context: Context): RefusedError {
  return new RefusedError('route_not_found', `there is no ${context.req.path.slice(0, 200)}`, {
    status: 404,
  });
}
