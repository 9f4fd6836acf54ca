import { setTimeout as delay } from 'node:timers/promises';
import type { Page, Request } from 'playwright-core';

/** No request for so long: what the engine took in is compiled, too. */
const QUIET_MS = 5_000;

export interface PageTraffic {
  readonly finished: readonly Request[];
  quiet(): Promise<void>;
}

/** What a page and its workers ask for. */
export function trafficOf(page: Page): PageTraffic {
  const finished: Request[] = [];
  let [underWay, changedAt] = [0, performance.now()];
  const count = (change: number): void => {
    underWay += change;
    changedAt = performance.now();
  };
  page.on('request', () => {
    count(1);
  });
  page.on('requestfinished', (request) => {
    count(-1);
    finished.push(request);
  });
  page.on('requestfailed', () => {
    count(-1);
  });
  return {
    finished,
    async quiet() {
      while (underWay > 0 || performance.now() - changedAt < QUIET_MS) await delay(100);
    },
  };
}

const KINDS = ['JavaScript', 'CSS', 'data', 'engine', 'the rest'] as const;
type Kind = (typeof KINDS)[number];
/** As they came over the network: packed, and with their headers. */
export type BytesByKind = Readonly<Record<Kind, number>>;

export async function bytesByKind(requests: readonly Request[]): Promise<BytesByKind> {
  const bytes = { JavaScript: 0, CSS: 0, data: 0, engine: 0, 'the rest': 0 };
  for (const request of requests) bytes[kindOf(request)] += await receivedBytes(request);
  return bytes;
}

async function receivedBytes(request: Request): Promise<number> {
  const { responseHeadersSize, responseBodySize } = await request.sizes();
  const announced = await (await request.response())?.headerValue('content-length');
  // Of a worker's own script Chromium counts the headers alone.
  return responseHeadersSize + Math.max(responseBodySize, Number(announced ?? 0));
}

function kindOf(request: Request): Kind {
  const { pathname } = new URL(request.url());
  if (/\.wasm$|worker[^/]*\.js$/.test(pathname)) return 'engine';
  if (pathname.endsWith('.js')) return 'JavaScript';
  if (pathname.endsWith('.css')) return 'CSS';
  return /\.(json|parquet)$/.test(pathname) ? 'data' : 'the rest';
}

export const totalBytes = (bytes: BytesByKind): number =>
  Object.values(bytes).reduce((sum, some) => sum + some, 0);

export const kilobytes = (bytes: number): string => `${Math.round(bytes / 1000).toLocaleString('en-US')} kB`;

export const bytesInWords = (bytes: BytesByKind): string =>
  KINDS.filter((kind) => bytes[kind] > 0)
    .map((kind) => `${kind} ${kilobytes(bytes[kind])}`)
    .join(', ');
