import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { hasClickHouse, startClickHouse, type ClickHouse } from './clickhouse.js';
import { ended, headgate, lineFrom, startHeadgate, type Running } from './command-line.js';
import { hasKafka, startKafka, type KafkaBroker, type KafkaOptions } from './kafka.js';
import { hasPostgres, startPostgres, type Postgres } from './postgres.js';

const SENDERS = 4;
const BATCH = 25;
const PARTITIONS = 4;

const Counted = z.array(z.object({ id: z.string(), positions: z.number(), contents: z.number() }));
const Status = z.object({ log: z.object({ lags: z.array(z.object({ messages: z.number() })) }) });

export type Role = 'api' | 'consumer' | 'scheduler';

/** `headgate serve` in a process of its own. */
export interface Served {
  readonly url: string;
  /** Resident memory, in MiB. */
  memoryMib(): number;
  kill(): Promise<void>;
}

/** Events on their way in, from several senders at once, until `stop`. */
export interface Load {
  /** Ids that were answered "accepted". */
  readonly accepted: ReadonlySet<string>;
  /** Ids whose request broke off or was refused: nobody said whether they are in. */
  readonly unanswered: ReadonlySet<string>;
  /** Answers other than "accepted", by status; 0 where a connection broke. */
  readonly refusals: ReadonlyMap<number, number>;
  stop(): Promise<void>;
}

/** What is in the warehouse, held against what was sent. */
export interface Comparison {
  /** As staging counts: an event, however often it is there. */
  readonly counted: number;
  /**
   * Copies at further positions of the topic: a producer that could not learn whether its send had arrived makes way for another, which
   * sends again.
   */
  readonly copies: number;
  readonly wrong: {
    /** Answered "accepted", and not there. */
    readonly missing: readonly string[];
    /** There, and never sent. */
    readonly unknown: readonly string[];
    /** There twice, and not alike: what no staging could count once. */
    readonly unlike: readonly string[];
  };
}

export const NOTHING_WRONG: Comparison['wrong'] = { missing: [], unknown: [], unlike: [] };

export function hasAllServices(): boolean {
  return hasPostgres() && hasClickHouse() && hasKafka();
}

/** One company on all three services, for as many processes as are wanted, each with a data directory of its own. */
export class ServedCompany {
  private readonly root = mkdtempSync(join(tmpdir(), 'headgate-several-'));
  private readonly running = new Set<Running>();
  private directories = 0;
  private loads = 0;
  private adminKey = '';

  private constructor(
    readonly postgres: Postgres,
    readonly clickHouse: ClickHouse,
    readonly kafka: KafkaBroker,
    private readonly environment: Readonly<Record<string, string>>,
  ) {}

  static async start(
    settings: Readonly<Record<string, string>> = {},
    kafkaOptions: KafkaOptions = {},
  ): Promise<ServedCompany> {
    const [postgres, clickHouse, kafka] = await Promise.all([
      startPostgres(),
      startClickHouse(),
      startKafka(kafkaOptions),
    ]);
    const company = new ServedCompany(postgres, clickHouse, kafka, {
      DATABASE_URL: await postgres.createDatabase(),
      CLICKHOUSE_URL: clickHouse.url('headgate'),
      KAFKA_BROKERS: kafka.brokers,
      HEADGATE_KAFKA_PARTITIONS: String(PARTITIONS),
      HEADGATE_LOG_LEVEL: 'silent',
      HEADGATE_TOKEN_KEY: randomBytes(32).toString('base64'),
      HEADGATE_VAULT_KEY: randomBytes(32).toString('base64'),
      ...settings,
    });
    const made = await company.command(['keys', 'create', 'a test', '--role', 'admin', '--json']);
    company.adminKey = z.looseObject({ secret: z.string() }).parse(JSON.parse(made)).secret;
    return company;
  }

  /** With every scope. */
  get key(): string {
    return this.adminKey;
  }

  /** @returns what the command printed */
  async command(args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await headgate(args, { cwd: this.root, environment: this.environment });
    if (code !== 0) throw new Error(`headgate ${args.join(' ')} ended with ${String(code)}: ${stderr}`);
    return stdout;
  }

  /** @param clockOffMs how far its clock is ahead of the others' */
  async serve(role: Role, { clockOffMs = 0 }: { clockOffMs?: number } = {}): Promise<Served> {
    const data = join(this.root, `${role}-${(this.directories += 1)}`);
    const args = ['serve', '--role', role, '--port', '0', '--data', data];
    const environment = { ...this.environment, ...(clockOffMs === 0 ? {} : offClock(clockOffMs)) };
    const process = startHeadgate(args, { cwd: this.root, environment });
    this.running.add(process);
    const [, url = ''] = await lineFrom(process.stdout, /Headgate serves (http:\S+)/);
    return {
      url,
      memoryMib: () =>
        Number(execFileSync('ps', ['-o', 'rss=', '-p', String(process.pid)], { encoding: 'utf8' })) / 1024,
      kill: async () => {
        const gone = ended(process);
        process.kill('SIGKILL');
        await gone;
        this.running.delete(process);
      },
    };
  }

  ask(url: string, path: string, body?: unknown): Promise<Response> {
    return fetch(`${url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${this.adminKey}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** Sends to whichever API there is. A refusal is waited out for as long as it says, and what it refused is not sent again. */
  load(urls: () => readonly string[], pauseMs = 0): Load {
    const name = `load${(this.loads += 1)}`;
    const accepted = new Set<string>();
    const unanswered = new Set<string>();
    const refusals = new Map<number, number>();
    let isTimeMissing = false;
    let isOver = false;
    const send = async (sender: number): Promise<void> => {
      for (let batch = 0; !isOver; batch += 1) {
        const events = batchOf(`${name}-${sender}-${batch}`, batch);
        const [url = ''] = urls().slice(batch % urls().length);
        const response = await this.ask(url, '/v1/events', events).catch(() => null);
        if (response?.ok === true) {
          for (const { id } of events) accepted.add(id);
          await response.arrayBuffer().catch(() => null);
          if (pauseMs > 0) await delay(pauseMs);
          continue;
        }
        for (const { id } of events) unanswered.add(id);
        const status = response?.status ?? 0;
        refusals.set(status, (refusals.get(status) ?? 0) + 1);
        if (status === 503 && !(Number(response?.headers.get('retry-after')) > 0)) isTimeMissing = true;
        // Whoever refuses for now says when to come back; a test that waited that long would test little.
        await delay(100);
      }
    };
    const senders = Promise.all(Array.from({ length: SENDERS }, (_, sender) => send(sender)));
    return {
      accepted,
      unanswered,
      refusals,
      stop: async () => {
        isOver = true;
        await senders;
        if (isTimeMissing) throw new Error('a 503 did not say when to come back');
      },
    };
  }

  /** Waits until the warehouse has all that is on the topics. */
  async caughtUp(url: string, timeoutMs: number): Promise<void> {
    const until = performance.now() + timeoutMs;
    for (;;) {
      const answer = await this.ask(url, '/v1/status').catch(() => null);
      const lags = answer?.ok === true ? Status.parse(await answer.json()).log.lags : null;
      const behind = lags?.reduce((sum, { messages }) => sum + messages, 0);
      if (behind === 0) return;
      if (performance.now() > until) {
        throw new Error(`still ${behind ?? 'an unknown number of'} messages behind, by ${url}`);
      }
      await delay(500);
    }
  }

  /**
   * The installs stream in the warehouse against what was sent. A consumer that went on behind a crash may have written a message again,
   * at the same position: staging counts that once, and so does this.
   */
  async compare(loads: readonly Load[]): Promise<Comparison> {
    const answer = await this.clickHouse.client.query({
      query: `SELECT id, toUInt32(count()) AS positions, toUInt32(uniqExact(raw_hash)) AS contents
        FROM (SELECT id, raw_hash FROM headgate.raw_installs LIMIT 1 BY log_partition, log_offset) GROUP BY id`,
      format: 'JSONEachRow',
    });
    const rows = Counted.parse(await answer.json());
    const counted = new Set(rows.map(({ id }) => id));
    const accepted = loads.flatMap((load) => [...load.accepted]);
    const sent = new Set([...accepted, ...loads.flatMap((load) => [...load.unanswered])]);
    return {
      counted: counted.size,
      copies: rows.reduce((sum, { positions }) => sum + positions - 1, 0),
      wrong: {
        missing: accepted.filter((id) => !counted.has(id)),
        unknown: [...counted].filter((id) => !sent.has(id)),
        unlike: rows.filter(({ contents }) => contents > 1).map(({ id }) => id),
      },
    };
  }

  async stop(): Promise<void> {
    for (const process of this.running) process.kill('SIGKILL');
    await Promise.all([this.postgres.stop(), this.clickHouse.stop(), this.kafka.stop()]);
    rmSync(this.root, { recursive: true, force: true });
  }
}

function batchOf(name: string, number: number): { readonly id: string }[] {
  return Array.from({ length: BATCH }, (_, index) => ({
    specversion: '1.0',
    id: `${name}-${index}`,
    source: '/several',
    type: 'session.active',
    subject: `org_${(number + index) % 17}`,
    time: '2026-04-01T00:00:00Z',
    data: { userId: `usr_${index}` },
  }));
}

/** Node, with another idea of what time it is. */
function offClock(ms: number): Record<string, string> {
  const code = `const now = Date.now; Date.now = () => now() + ${ms};`;
  return { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(code)}` };
}
