import { cp, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { serve, type RunningServer } from '../../api/serve.js';
import { isSource } from '../../cli/dashboards/site-directory.js';
import { systemClock } from '../../cli/runtime.js';
import { formatInstant, MICROS_PER_DAY, parseInstant } from '../../core/time.js';
import { finishProgram } from '../../platform/finish-program.js';
import { packagePath } from '../../platform/package-path.js';
import { openChromium } from '../support/chromium.js';
import { catalogFile, openCompany, simulate, type TestCompany } from '../support/company.js';
import { filterTimes, firstVisits, overviewBytes, type Reader } from './dashboard-visits.js';
import { quantile, seconds, timed, type Figure } from './figure.js';
import { bytesInWords, kilobytes, totalBytes } from './page-traffic.js';

const VISITS = 5;
const CHOICES = 12;
/** What Lighthouse takes for a phone. */
const SLOWDOWN = 4;

/** The pages of the demo's company: built, brought a new run, and read in a real browser. */
export async function benchDashboards(directory: string): Promise<Figure[]> {
  const site = join(directory, 'site');
  const build = await buildFigure(directory, site);
  const company = await openCompany();
  try {
    const { services } = company.runtime;
    const server = await serve({
      services: { ...services, dashboards: { ...services.dashboards, siteDirectory: site } },
      ...{ host: '127.0.0.1', port: 0, publishServer: () => Promise.resolve() },
    });
    try {
      const cookie = await founderCookie(company, server);
      const refresh = await refreshFigure(company, server, cookie);
      return [build, refresh, ...(await browserFigures(server, cookie))];
    } finally {
      await server.stop(1_000);
    }
  } finally {
    await company.remove();
  }
}

async function buildFigure(directory: string, site: string): Promise<Figure> {
  const sources = join(directory, 'dashboards');
  await cp(packagePath('dashboards'), sources, { recursive: true, filter: isSource });
  const install = ['ci', '--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts'];
  await finish('npm', install, sources);
  const { ms } = await timed(() => finish(process.execPath, ['build.mjs', '--out', site], sources));
  await rm(sources, { recursive: true });
  return {
    name: `dashboards build without npm ci, ${availableParallelism()} cores`,
    ...{ measured: seconds(ms), floor: '', ratio: '', target: '< 90 s', isMet: ms < 90_000 },
  };
}

/** @throws Error with what it said, unless it ends well */
async function finish(command: string, args: readonly string[], cwd: string): Promise<void> {
  const done = await finishProgram(command, args, { cwd });
  if (done?.code !== 0) throw new Error(`dashboards bench: ${command}: ${done?.output ?? 'there is none'}`);
}

type Cookie = Reader['cookie'];

async function founderCookie({ runtime }: TestCompany, { url }: RunningServer): Promise<Cookie> {
  const { keys } = runtime.services;
  const { secret } = await keys.create({ name: 'a founder', role: 'founder' }, 'bench', systemClock());
  const answer = await fetch(`${url}/dashboards/sign-in`, {
    ...{ method: 'POST', headers: { origin: url }, redirect: 'manual' },
    body: new URLSearchParams({ key: secret, to: '' }),
  });
  const [, name, value] = /^([^=]+)=([^;]+)/.exec(answer.headers.get('set-cookie') ?? '') ?? [];
  if (name === undefined || value === undefined) throw new Error(`dashboards bench: HTTP ${answer.status}`);
  return { name, value };
}

const Files = z.record(z.string(), z.string());
const Manifest = z.object({ run: z.string(), tables: Files, prepared: Files });

/** From a new run until a founder has all of its data, on a server that gave out that of the run before. */
async function refreshFigure(company: TestCompany, server: RunningServer, cookie: Cookie): Promise<Figure> {
  const file = await catalogFile('fleetprompt');
  await company.runtime.services.publishCatalog(file, 'bench');
  const { lines, endsAt } = simulate(file.catalog, {});
  await company.ingest(lines);
  await company.transform(formatInstant(parseInstant(endsAt) - MICROS_PER_DAY));
  await takeAllData(server, cookie);
  const run = await company.transform(endsAt);
  const { ms, result } = await timed(() => takeAllData(server, cookie));
  if (result.run !== run.runId) throw new Error(`dashboards bench: the data is that of ${result.run}`);
  return {
    name: `all data of a new run, ${result.tables} tables and the answers of ${result.pages} pages`,
    measured: seconds(ms),
    ...{ floor: '', ratio: '', target: '< 5 s', isMet: ms < 5_000 },
    note: `${kilobytes(result.bytes)} unpacked`,
  };
}

async function takeAllData(
  { url }: RunningServer,
  cookie: Cookie,
): Promise<{ run: string; tables: number; pages: number; bytes: number }> {
  const take = async (path: string): Promise<Buffer> => {
    const answer = await fetch(`${url}/dashboards/data/${path}`, {
      headers: { cookie: `${cookie.name}=${cookie.value}` },
    });
    if (!answer.ok) throw new Error(`dashboards bench: ${path}: HTTP ${answer.status}`);
    return Buffer.from(await answer.arrayBuffer());
  };
  const manifest = Manifest.parse(JSON.parse((await take('manifest.json')).toString()));
  const [tables, pages] = [Object.values(manifest.tables), Object.values(manifest.prepared)];
  const files = await Promise.all([...tables, ...pages].map(take));
  const bytes = files.reduce((sum, { length }) => sum + length, 0);
  return { run: manifest.run, tables: tables.length, pages: pages.length, bytes };
}

async function browserFigures({ url }: RunningServer, cookie: Cookie): Promise<Figure[]> {
  const browser = await openChromium();
  try {
    const reader = { browser, url, cookie };
    return [
      ...(await firstVisitFigures(reader)),
      await filterFigure(reader),
      ...(await bytesFigures(reader)),
    ];
  } finally {
    await browser.close();
  }
}

const median = (values: readonly number[]): number => quantile(values, 0.5);

async function firstVisitFigures(reader: Reader): Promise<Figure[]> {
  const painted = (await firstVisits(reader, VISITS, 1)).map(({ paintedMs }) => paintedMs);
  const numbers = (await firstVisits(reader, VISITS, SLOWDOWN)).map(({ numbersMs }) => numbersMs);
  const said = (times: readonly number[]): string =>
    `median ${seconds(median(times))} (max ${seconds(Math.max(...times))})`;
  return [
    {
      name: 'Overview, first contentful paint, nothing cached',
      ...{ measured: said(painted), floor: '', ratio: '', target: '< 1 s', isMet: median(painted) < 1_000 },
    },
    {
      name: `Overview, first numbers, nothing cached, CPU ${SLOWDOWN}× slower`,
      ...{ measured: said(numbers), floor: '', ratio: '', target: '< 2.5 s', isMet: median(numbers) < 2_500 },
    },
  ];
}

async function filterFigure(reader: Reader): Promise<Figure> {
  const times = await filterTimes(reader, CHOICES);
  return {
    name: `Growth, another month is chosen, ${CHOICES} times`,
    measured: `median ${median(times).toFixed(0)} ms (max ${Math.max(...times).toFixed(0)})`,
    ...{ floor: '', ratio: '', target: '≤ 100 ms', isMet: median(times) <= 100 },
  };
}

async function bytesFigures(reader: Reader): Promise<Figure[]> {
  const { before, behind } = await overviewBytes(reader);
  const figures = [
    { name: 'Overview, bytes until its numbers show', bytes: before },
    { name: 'Overview, bytes that ready its engine behind them', bytes: behind },
  ];
  return figures.map(({ name, bytes }) => ({
    name,
    ...{ measured: kilobytes(totalBytes(bytes)), floor: '', ratio: '', target: '', isMet: null },
    note: bytesInWords(bytes),
  }));
}
