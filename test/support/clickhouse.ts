import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import { packagePath } from '../../platform/package-path.js';
import { freePort } from './free-port.js';
import { isAvailable } from './services.js';

/** The real engine in a process of its own, answering ClickHouse's HTTP protocol on a free port of loopback. */
export interface ClickHouse {
  readonly port: number;
  readonly client: ClickHouseClient;
  /** As CLICKHOUSE_URL would be, with a password and TLS if there are. */
  url(database: string): string;
  /** kill -9: what it had answered is on the disk, and clients see their connections break. */
  crash(): Promise<void>;
  /** After a crash: the same data on the same port. */
  start(): Promise<void>;
  /** Ends the process and removes its files. */
  stop(): Promise<void>;
}

export interface ClickHouseOptions {
  /** Of the user `default`. */
  readonly password?: string;
  /** What it says its version is. */
  readonly version?: string;
  /** PEM texts; with them it speaks TLS only. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** In blocks of 512 bytes: every write beyond it fails, as on a full disk. */
  readonly fileSizeLimit?: number;
}

/** Big integers and decimals as digits, instants as RFC 3339: nothing of a value is lost on its way through JSON. */
export const EXACT_JSON = {
  output_format_json_quote_64bit_integers: 1,
  output_format_json_quote_decimals: 1,
  date_time_output_format: 'iso',
} as const;

/** Whether ClickHouse can be started here; when not, one line has said why, or with REQUIRE_SERVICES=1 this throws. */
export function hasClickHouse(): boolean {
  const package_ = packagePath('test', 'services', 'node_modules', 'chdb', 'package.json');
  return isAvailable(
    'ClickHouse',
    existsSync(package_) ? null : 'chdb is not installed (cd test/services && npm ci)',
  );
}

export async function startClickHouse(options: ClickHouseOptions = {}): Promise<ClickHouse> {
  const directory = mkdtempSync(join(tmpdir(), 'headgate-clickhouse-'));
  const port = await freePort();
  const { tls, password = '' } = options;
  const origin = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  let child = await startProcess(directory, port, options);
  const client = createClient({
    url: origin,
    password,
    request_timeout: 300_000,
    log: { level: ClickHouseLogLevel.OFF },
    ...(tls === undefined ? {} : { tls: { ca_cert: Buffer.from(tls.certificate) } }),
  });
  return {
    port,
    client,
    url: (database) => {
      const url = new URL(`${origin}/${database}`);
      if (password !== '') url.username = 'default';
      url.password = password;
      return url.href;
    },
    crash: () => ended(child, 'SIGKILL'),
    start: async () => {
      child = await startProcess(directory, port, options);
    },
    stop: async () => {
      await client.close();
      await ended(child, 'SIGTERM');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function startProcess(
  directory: string,
  port: number,
  { fileSizeLimit, ...behaviour }: ClickHouseOptions,
): Promise<ChildProcess> {
  const logFile = join(directory, 'errors.log');
  const log = openSync(logFile, 'a');
  const limit = fileSizeLimit === undefined ? '' : `ulimit -f ${fileSizeLimit}; `;
  const shim = packagePath('test', 'services', 'clickhouse-shim.ts');
  const child = spawn(
    'sh',
    [
      '-c',
      `${limit}exec "$0" --import tsx "$@"`,
      process.execPath,
      shim,
      join(directory, 'data'),
      String(port),
      JSON.stringify(behaviour),
    ],
    // Its standard input is a pipe from us: it ends when we do, however we end.
    { cwd: packagePath(), stdio: ['pipe', 'pipe', log] },
  );
  closeSync(log);
  try {
    await listening(child, logFile);
    return child;
  } catch (error) {
    await ended(child, 'SIGKILL');
    throw error;
  }
}

async function ended(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

async function listening(child: ChildProcess, logFile: string): Promise<void> {
  if (child.stdout === null) throw new Error('the ClickHouse process has no output');
  for await (const line of createInterface({ input: child.stdout })) {
    if (/^listening \d+$/.test(line)) return;
  }
  throw new Error(`ClickHouse did not start:\n${readFileSync(logFile, 'utf8').slice(-2_000)}`);
}
