import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import { packagePath } from '../../platform/package-path.js';
import { isAvailable } from './services.js';

/** The real engine in a process of its own, answering ClickHouse's HTTP protocol on a free port of loopback. */
export interface ClickHouse {
  readonly port: number;
  readonly client: ClickHouseClient;
  /** Ends the process and removes its files. */
  stop(): Promise<void>;
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

export async function startClickHouse(): Promise<ClickHouse> {
  const directory = mkdtempSync(join(tmpdir(), 'headgate-clickhouse-'));
  const logFile = join(directory, 'errors.log');
  const log = openSync(logFile, 'a');
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', packagePath('test', 'services', 'clickhouse-shim.ts'), join(directory, 'data')],
    // Its standard input is a pipe from us: it ends when we do, however we end.
    { cwd: packagePath(), stdio: ['pipe', 'pipe', log] },
  );
  closeSync(log);
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const port = await listeningPort(child, logFile);
    const client = createClient({
      url: `http://127.0.0.1:${port}`,
      request_timeout: 300_000,
      log: { level: ClickHouseLogLevel.ERROR },
    });
    return {
      port,
      client,
      stop: async () => {
        await client.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function listeningPort(child: ChildProcess, logFile: string): Promise<number> {
  if (child.stdout === null) throw new Error('the ClickHouse process has no output');
  for await (const line of createInterface({ input: child.stdout })) {
    const port = /^listening (\d+)$/.exec(line)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error(`ClickHouse did not start:\n${readFileSync(logFile, 'utf8').slice(-2_000)}`);
}
