import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePorts } from './free-port.js';
import { installKafka, missingForKafka } from './kafka-jars.js';
import { KAFKA_USER, writeKafkaSettings, type KafkaPorts } from './kafka-settings.js';
import { isAvailable } from './services.js';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js';

/** The real broker, KRaft, one node, in a process of its own on free ports of loopback. */
export interface KafkaBroker {
  /** For KAFKA_BROKERS: no TLS, no password. */
  readonly brokers: string;
  readonly ports: KafkaPorts;
  /** What goes through `ports.proxy` can get lost. */
  readonly proxy: TcpProxy;
  /** The certificate authority of the TLS listeners, when it was started with `secure`. */
  readonly caFile: string;
  /** kill -9. What it had written is there for `restart`. */
  kill(): Promise<void>;
  /** Starts it again on the same data and ports, and returns when it answers. */
  restart(): Promise<void>;
  /** Ends the process; removes its files unless they are in a directory that was given. */
  stop(): Promise<void>;
}

export interface KafkaOptions {
  /** Adds listeners with TLS, SASL and both, and an authorizer. */
  readonly secure?: boolean;
  /** More lines of server.properties. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Where its data stays when it stops; left out, it is a temporary one. */
  readonly directory?: string;
  readonly port?: number;
  /** Starts slower and is faster from then on: for benchmarks and for people. */
  readonly longRunning?: boolean;
}

/** Its input is a pipe from us: it ends the broker, and what nobody will read again, when we end without doing so. */
const END_WITH_US = 'cat >/dev/null; kill -9 "$0"; test -z "$1" || rm -rf "$1"';

/** The quick compiler alone: a broker that lives for a minute is up in two thirds of the processor time. */
const SHORT_LIVED = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];

const UP_WITHIN_MS = 90_000;
const DOWN_WITHIN_MS = 15_000;
const LOOK_EVERY_MS = 50;
const STARTED = /Kafka Server started/;

/** Whether the broker can be started here; when not, one line has said why, or with REQUIRE_SERVICES=1 this throws. */
export function hasKafka(): boolean {
  return isAvailable('Kafka', missingForKafka());
}

export async function startKafka(options: KafkaOptions = {}): Promise<KafkaBroker> {
  const jars = await installKafka();
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'headgate-kafka-'));
  mkdirSync(directory, { recursive: true });
  const [plain = 0, controller = 0, sasl = 0, tls = 0, saslTls = 0, proxied = 0] = await freePorts(6);
  const proxy = await startTcpProxy(proxied);
  const ports = { plain: options.port ?? plain, proxied, proxy: proxy.port, controller, sasl, tls, saslTls };
  const { secure = false, settings = {} } = options;
  const settingsFile = writeKafkaSettings(directory, ports, { secure, settings });
  if (!existsSync(join(directory, 'data', 'meta.properties'))) await format(jars, settingsFile, secure);
  const temporary = options.directory === undefined ? directory : null;
  const tuning = options.longRunning === true ? [] : SHORT_LIVED;
  const broker = new BrokerProcess(jars, directory, settingsFile, tuning, temporary);
  await broker.start();
  return {
    brokers: `127.0.0.1:${ports.plain}`,
    ports,
    proxy,
    caFile: join(directory, 'ca.pem'),
    kill: () => broker.end('SIGKILL'),
    restart: () => broker.start(),
    stop: async () => {
      // Nobody reads a temporary broker's data again, so it need not be told to close its files.
      await proxy.stop();
      await broker.end(temporary === null ? 'SIGTERM' : 'SIGKILL');
      if (temporary !== null) rmSync(temporary, { recursive: true, force: true });
    },
  };
}

async function format(jars: string, settingsFile: string, secure: boolean): Promise<void> {
  const credentials = (bits: string): string[] => [
    '--add-scram',
    `SCRAM-SHA-${bits}=[name=${KAFKA_USER.username},password=${KAFKA_USER.password}]`,
  ];
  await promisify(execFile)('java', [
    ...[...SHORT_LIVED, '-cp', join(jars, '*'), 'kafka.tools.StorageTool', 'format'],
    // Not to begin with "-", which would read as an option.
    ...['--config', settingsFile, '--cluster-id', `K${randomBytes(16).toString('base64url').slice(1)}`],
    ...(secure ? ['256', '512'].flatMap(credentials) : []),
  ]);
}

class BrokerProcess {
  private child: ChildProcess | null = null;
  private watcher: ChildProcess | null = null;
  private readonly logFile: string;

  constructor(
    private readonly jars: string,
    private readonly directory: string,
    private readonly settingsFile: string,
    private readonly tuning: readonly string[],
    /** Of its files, what goes with it. */
    private readonly temporary: string | null,
  ) {
    this.logFile = join(directory, 'broker.log');
  }

  async start(): Promise<void> {
    const from = existsSync(this.logFile) ? statSync(this.logFile).size : 0;
    const log = openSync(this.logFile, 'a');
    const child = spawn(
      'java',
      [
        '-Xmx512m',
        ...this.tuning,
        '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
        '-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info',
        '-Dorg.slf4j.simpleLogger.showDateTime=true',
        '-cp',
        join(this.jars, '*'),
        'kafka.Kafka',
        this.settingsFile,
      ],
      { cwd: this.directory, stdio: ['ignore', log, log] },
    );
    closeSync(log);
    this.child = child;
    this.watcher = spawn('sh', ['-c', END_WITH_US, String(child.pid), this.temporary ?? ''], {
      stdio: ['pipe', 'ignore', 'ignore'],
      // A Ctrl-C that ends us must not end it first.
      detached: true,
    });
    await this.waitUntilStarted(child, from);
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { child, watcher } = this;
    this.child = null;
    this.watcher = null;
    if (child !== null && !hasEnded(child)) {
      const ended = once(child, 'exit');
      child.kill(signal);
      const isLate = await Promise.race([
        ended.then(() => false),
        delay(DOWN_WITHIN_MS, true, { ref: false }),
      ]);
      if (isLate) {
        child.kill('SIGKILL');
        await ended;
      }
    }
    watcher?.kill('SIGKILL');
  }

  private async waitUntilStarted(child: ChildProcess, from: number): Promise<void> {
    for (let waitedMs = 0; waitedMs < UP_WITHIN_MS && !hasEnded(child); waitedMs += LOOK_EVERY_MS) {
      if (STARTED.test(readFileSync(this.logFile, 'utf8').slice(from))) return;
      await delay(LOOK_EVERY_MS);
    }
    await this.end('SIGKILL');
    throw new Error(`Kafka did not start:\n${readFileSync(this.logFile, 'utf8').slice(from).slice(-3_000)}`);
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
