import { z } from 'zod';
import { InputError } from '../core/errors.js';

const MIB = 1024 * 1024;

/** Whole numbers only: `parseInt` would read "10MB" as 10. */
const wholeNumber = (fallback: number, { min, max }: { min: number; max: number }) =>
  z
    .string()
    .regex(/^\d+$/, 'write a whole number')
    .transform(Number)
    .pipe(z.number().min(min).max(max))
    .default(fallback);

const KEY_BYTES = 32;
const secretKey = z.base64().transform((text, context) => {
  const key = Buffer.from(text, 'base64');
  if (key.length !== KEY_BYTES) {
    context.addIssue({ code: 'custom', message: 'write 32 random bytes as base64: openssl rand -base64 32' });
    return z.NEVER;
  }
  return new Uint8Array(key);
});

const notYet = (what: string) =>
  z
    .undefined({ error: `${what} is not in this version; leave it unset and the embedded default is used` })
    .optional();

/**
 * Every variable of the environment that Headgate reads, with its default. `.env.example` lists the same names, and
 * a test says so.
 */
export const Environment = z.object({
  DATABASE_URL: notYet('Postgres'),
  CLICKHOUSE_URL: notYet('ClickHouse'),
  KAFKA_BROKERS: notYet('Kafka'),
  HEADGATE_DATA: z.string().min(1).default('.headgate'),
  HEADGATE_HOST: z.string().min(1).default('127.0.0.1'),
  HEADGATE_PORT: wholeNumber(8471, { min: 0, max: 65_535 }),
  HEADGATE_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  HEADGATE_MAX_BODY_BYTES: wholeNumber(16 * MIB, { min: 1024, max: 1024 * MIB }),
  HEADGATE_MAX_FILE_BYTES: wholeNumber(4096 * MIB, { min: 1024, max: 1024 * 1024 * MIB }),
  HEADGATE_MAX_EVENT_BYTES: wholeNumber(MIB, { min: 1024, max: 64 * MIB }),
  HEADGATE_MAX_BATCH_EVENTS: wholeNumber(10_000, { min: 1, max: 1_000_000 }),
  HEADGATE_FUTURE_SKEW_SECONDS: wholeNumber(300, { min: 0, max: 86_400 }),
  HEADGATE_QUEUE_EVENTS: wholeNumber(50_000, { min: 1, max: 10_000_000 }),
  HEADGATE_RATE_LIMIT_PER_SECOND: wholeNumber(0, { min: 0, max: 1_000_000 }),
  HEADGATE_WAREHOUSE_MEMORY_MIB: wholeNumber(512, { min: 128, max: 1024 * 1024 }),
  HEADGATE_WAREHOUSE_THREADS: wholeNumber(2, { min: 1, max: 256 }),
  HEADGATE_SQL_TIMEOUT_SECONDS: wholeNumber(30, { min: 1, max: 3600 }),
  HEADGATE_SQL_MEMORY_MIB: wholeNumber(512, { min: 64, max: 1024 * 1024 }),
  HEADGATE_SQL_MAX_ROWS: wholeNumber(100_000, { min: 1, max: 10_000_000 }),
  HEADGATE_RUNS_KEPT: wholeNumber(5, { min: 1, max: 1000 }),
  HEADGATE_QUARANTINE_DAYS: wholeNumber(90, { min: 1, max: 3650 }),
  HEADGATE_PYTHON: z.string().min(1).optional(),
  HEADGATE_VAULT_KEY: secretKey.optional(),
  HEADGATE_TOKEN_KEY: secretKey.optional(),
});

type Settings = z.infer<typeof Environment>;

export interface Limits {
  readonly bodyBytes: number;
  readonly fileBytes: number;
  readonly eventBytes: number;
  readonly batchEvents: number;
  readonly futureSkewSeconds: number;
  readonly queueEvents: number;
  /** Requests a second for each key; 0 is no limit. */
  readonly requestsPerSecond: number;
}

export interface Config {
  readonly dataDirectory: string;
  readonly host: string;
  readonly port: number;
  readonly logLevel: Settings['HEADGATE_LOG_LEVEL'];
  readonly limits: Limits;
  readonly warehouse: { readonly memoryMib: number; readonly threads: number };
  readonly userSql: { readonly timeoutMs: number; readonly memoryMib: number; readonly maxRows: number };
  readonly runsKept: number;
  readonly quarantineDays: number;
  /** The interpreter that dbt's environment is made with; null finds one. */
  readonly python: string | null;
  /** Keys from the environment; those left out are in the data directory. */
  readonly secrets: Secrets;
}

/** Shows itself as "[secret]" wherever it is printed, logged or put into JSON. */
export class Secrets {
  readonly #vaultKey: Uint8Array | null;
  readonly #tokenKey: Uint8Array | null;

  constructor(keys: { vaultKey: Uint8Array | null; tokenKey: Uint8Array | null }) {
    this.#vaultKey = keys.vaultKey;
    this.#tokenKey = keys.tokenKey;
  }

  reveal(): { vaultKey: Uint8Array | null; tokenKey: Uint8Array | null } {
    return { vaultKey: this.#vaultKey, tokenKey: this.#tokenKey };
  }

  toJSON(): string {
    return '[secret]';
  }

  toString(): string {
    return '[secret]';
  }
}

/**
 * @param environment `process.env`, read once, in cli/
 * @throws InputError `invalid_config` naming every variable that is wrong, never its value
 */
export function loadConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  // A variable set to nothing, as compose files leave them, is a variable not set.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = Environment.safeParse(given);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new InputError('invalid_config', `config: ${problems.join('; ')}`, { details: { problems } });
  }
  return deepFreeze(configOf(parsed.data));
}

function configOf(settings: Settings): Config {
  return {
    dataDirectory: settings.HEADGATE_DATA,
    host: settings.HEADGATE_HOST,
    port: settings.HEADGATE_PORT,
    logLevel: settings.HEADGATE_LOG_LEVEL,
    limits: {
      bodyBytes: settings.HEADGATE_MAX_BODY_BYTES,
      fileBytes: settings.HEADGATE_MAX_FILE_BYTES,
      eventBytes: settings.HEADGATE_MAX_EVENT_BYTES,
      batchEvents: settings.HEADGATE_MAX_BATCH_EVENTS,
      futureSkewSeconds: settings.HEADGATE_FUTURE_SKEW_SECONDS,
      queueEvents: settings.HEADGATE_QUEUE_EVENTS,
      requestsPerSecond: settings.HEADGATE_RATE_LIMIT_PER_SECOND,
    },
    warehouse: {
      memoryMib: settings.HEADGATE_WAREHOUSE_MEMORY_MIB,
      threads: settings.HEADGATE_WAREHOUSE_THREADS,
    },
    userSql: {
      timeoutMs: settings.HEADGATE_SQL_TIMEOUT_SECONDS * 1000,
      memoryMib: settings.HEADGATE_SQL_MEMORY_MIB,
      maxRows: settings.HEADGATE_SQL_MAX_ROWS,
    },
    runsKept: settings.HEADGATE_RUNS_KEPT,
    quarantineDays: settings.HEADGATE_QUARANTINE_DAYS,
    python: settings.HEADGATE_PYTHON ?? null,
    secrets: new Secrets({
      vaultKey: settings.HEADGATE_VAULT_KEY ?? null,
      tokenKey: settings.HEADGATE_TOKEN_KEY ?? null,
    }),
  };
}

function deepFreeze<Value extends object>(value: Value): Value {
  for (const child of Object.values(value))
    if (typeof child === 'object' && child !== null) deepFreeze(child);
  return Object.freeze(value);
}
