import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { LoggedRequest } from '../../fixtures/stripe/request-log.js';
import { freePorts } from './free-port.js';
import { installedAt, installOnce } from './install-once.js';
import { isAvailable } from './services.js';

/** Holds each request against the OpenAPI description that Stripe publishes. It has no state: good for shapes alone. */
const MODULE = 'github.com/stripe/stripe-mock';
const VERSION = 'v0.203.0';
const INSTALL_TIMEOUT_MS = 540_000;
const UP_WITHIN_MS = 30_000;

export interface StripeMock {
  readonly url: string;
  stop(): Promise<void>;
}

const DIRECTORY = installedAt(`stripe-mock-${VERSION}`);

/** Why it can't be started here; null when it can, though it may have to be compiled first. */
export function missingForStripeMock(): string | null {
  if (existsSync(DIRECTORY)) return null;
  return spawnSync('go', ['version']).error
    ? 'there is no Go to compile it with; install it (Debian: golang)'
    : null;
}

/** Whether it can be started here; when not, one line has said why, or with REQUIRE_SERVICES=1 this throws. */
export function hasStripeMock(): boolean {
  return isAvailable('stripe-mock', missingForStripeMock());
}

/** Compiles it, if need be. */
export async function installStripeMock(): Promise<string> {
  await installOnce(DIRECTORY, (unfinished) =>
    promisify(execFile)('go', ['install', `${MODULE}@${VERSION}`], {
      env: { ...process.env, GOBIN: unfinished },
      timeout: INSTALL_TIMEOUT_MS,
    }),
  );
  return join(DIRECTORY, 'stripe-mock');
}

export async function startStripeMock(): Promise<StripeMock> {
  const program = await installStripeMock();
  const [http = 0, https = 0] = await freePorts(2);
  const child = spawn(program, ['-http-port', String(http), '-https-port', String(https)], {
    stdio: 'ignore',
  });
  const exit = once(child, 'exit');
  const url = `http://127.0.0.1:${http}`;
  const until = performance.now() + UP_WITHIN_MS;
  while (!(await answers(url))) {
    if (child.exitCode !== null || performance.now() > until) {
      child.kill('SIGKILL');
      throw new Error(`stripe-mock did not start on ${url}`);
    }
    await delay(50);
  }
  return {
    url,
    stop: async () => {
      child.kill('SIGKILL');
      await exit;
    },
  };
}

function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    () => true,
    () => false,
  );
}

/** What Stripe's description has against a request; nothing when it is one that it describes. */
export async function refusalOf(
  mock: StripeMock,
  { method, path, parameters }: LoggedRequest,
): Promise<string[]> {
  const form = new URLSearchParams(pairsOf(parameters, '')).toString();
  const response = await fetch(`${mock.url}${path}${method === 'POST' || form === '' ? '' : `?${form}`}`, {
    method,
    headers: { authorization: 'Bearer sk_test_123', 'content-type': 'application/x-www-form-urlencoded' },
    ...(method === 'POST' ? { body: form } : {}),
  });
  const text = await response.text();
  return response.ok ? [] : [`${method} ${path} ${form}: ${text}`];
}

function pairsOf(value: unknown, name: string): [string, string][] {
  if (typeof value === 'string') return [[name, value]];
  return Object.entries(value as Record<string, unknown>).flatMap(([child, inside]) =>
    pairsOf(inside, name === '' ? child : `${name}[${child}]`),
  );
}
