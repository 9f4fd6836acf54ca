import { Cron } from 'croner';
import { InputError } from '../core/errors.js';
import { Environment, type Settings } from './environment.js';
import { Secrets, type SecretText } from './secrets.js';

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

/** Kafka as the event log. Topics are `<topicPrefix>.<stream>`. */
export interface KafkaConfig {
  readonly brokers: readonly string[];
  readonly topicPrefix: string;
  /** Raised when topics are made anew, whose offsets begin at 0 again: what came from the ones before keeps its place. */
  readonly generation: number;
  /** Of topics that Headgate makes; existing ones keep theirs. */
  readonly partitions: number;
  readonly replication: number;
  readonly retentionDays: number;
  /** How long one send may take, retries included. */
  readonly timeoutMs: number;
  readonly tls: boolean;
  readonly caFile: string | null;
  readonly sasl: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
    readonly username: string;
    readonly password: SecretText;
  } | null;
}

export interface ClickHouseConfig {
  readonly url: SecretText;
  /** Certificate authority of a server whose certificate no public one signed. */
  readonly caFile: string | null;
  readonly timeoutMs: number;
}

export interface DatabaseConfig {
  readonly url: SecretText;
  /** Connections of this process, at most. */
  readonly poolSize: number;
  readonly timeoutMs: number;
}

export interface StripeConfig {
  readonly secretKey: SecretText;
  /** Another server than Stripe's own: one that behaves like it, on this machine. */
  readonly url: SecretText | null;
  /** How long one answer may take. */
  readonly timeoutMs: number;
  /** Customers that are billed at once. */
  readonly concurrency: number;
  /** What its webhooks are signed with: one, or two while one is replaced by the other; none: webhooks are not taken. */
  readonly webhookSecrets: readonly SecretText[];
}

/** A turn that never comes soon after the grace would bill each month a cycle late, and say nothing. */
function requireTurnAfterGrace(pattern: string, graceHours: number): void {
  const cron = new Cron(pattern, { timezone: 'UTC', paused: true });
  for (let month = 0; month < 12; month += 1) {
    const closed = new Date(Date.UTC(CHECKED_YEAR, month, 1, graceHours + FARTHEST_ZONE_HOURS));
    const latest = new Date(closed.getTime() + LATEST_TURN_DAYS * 86_400_000);
    const turn = cron.nextRun(closed);
    if (turn !== null && turn <= latest) continue;
    const problem = `HEADGATE_BILLING_SCHEDULE: it has no turn within ${LATEST_TURN_DAYS} days after the grace of ${graceHours} hours, so a month would be billed a cycle late; take a daily one: 0 6 * * *`;
    throw new InputError('invalid_config', `config: ${problem}`, { details: { problems: [problem] } });
  }
}
/** Any year will do. */
const CHECKED_YEAR = 2027;
/** A month ends this much later in the catalog's zone than in UTC, at most. */
const FARTHEST_ZONE_HOURS = 12;
const LATEST_TURN_DAYS = 7;

/** How overages are billed by themselves, and what somebody must look at first. */
export interface BillingConfig {
  /** When a serving process bills the month before, as a cron pattern in UTC; null: only when asked. */
  readonly schedule: string | null;
  /** How long after a month is over late events are waited for before it is billed by the schedule. */
  readonly graceHours: number;
  readonly approval: {
    /** By currency; a bill of more waits for approval. */
    readonly aboveMinor: ReadonlyMap<string, bigint>;
    /** Null: whatever it rises by. */
    readonly risePercent: number | null;
  };
}

/** Where usage alerts are sent. */
export interface AlertWebhookConfig {
  readonly url: SecretText;
  /** Each message is signed by all: two while one replaces the other. */
  readonly secrets: readonly SecretText[];
  readonly timeoutMs: number;
}

export interface Config {
  readonly billing: BillingConfig;
  /** Null: usage alerts are recorded, and sent nowhere. */
  readonly alertWebhook: AlertWebhookConfig | null;
  /** Null: nothing is billed from here. */
  readonly stripe: StripeConfig | null;
  /** Null: the embedded default of each. */
  readonly database: DatabaseConfig | null;
  readonly clickHouse: ClickHouseConfig | null;
  readonly kafka: KafkaConfig | null;
  readonly dataDirectory: string;
  readonly host: string;
  readonly port: number;
  readonly logLevel: Settings['HEADGATE_LOG_LEVEL'];
  readonly limits: Limits;
  readonly warehouse: { readonly memoryMib: number; readonly threads: number };
  readonly userSql: { readonly timeoutMs: number; readonly memoryMib: number; readonly maxRows: number };
  /** When a serving process transforms by itself, as a cron pattern in UTC; null: only when asked. */
  readonly transformSchedule: string | null;
  readonly runsKept: number;
  readonly quarantineDays: number;
  /** The interpreter that dbt's environment is made with; null finds one. */
  readonly python: string | null;
  /** Keys from the environment; those left out are in the data directory. */
  readonly secrets: Secrets;
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
  const { HEADGATE_BILLING_SCHEDULE: pattern, HEADGATE_BILLING_GRACE_HOURS: graceHours } = parsed.data;
  if (pattern !== undefined) requireTurnAfterGrace(pattern, graceHours);
  return deepFreeze(configOf(parsed.data));
}

function configOf(settings: Settings): Config {
  return {
    alertWebhook: alertWebhookOf(settings),
    stripe: stripeOf(settings),
    billing: {
      schedule: settings.HEADGATE_BILLING_SCHEDULE ?? null,
      graceHours: settings.HEADGATE_BILLING_GRACE_HOURS,
      approval: {
        aboveMinor: settings.HEADGATE_BILLING_APPROVE_ABOVE ?? new Map<string, bigint>(),
        risePercent: settings.HEADGATE_BILLING_APPROVE_RISE_PERCENT ?? null,
      },
    },
    database: databaseOf(settings),
    clickHouse: clickHouseOf(settings),
    kafka: kafkaOf(settings),
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
    transformSchedule: settings.HEADGATE_TRANSFORM_SCHEDULE ?? null,
    runsKept: settings.HEADGATE_RUNS_KEPT,
    quarantineDays: settings.HEADGATE_QUARANTINE_DAYS,
    python: settings.HEADGATE_PYTHON ?? null,
    secrets: new Secrets({
      vaultKey: settings.HEADGATE_VAULT_KEY ?? null,
      tokenKey: settings.HEADGATE_TOKEN_KEY ?? null,
    }),
  };
}

function stripeOf(settings: Settings): StripeConfig | null {
  const { STRIPE_SECRET_KEY: secretKey, HEADGATE_STRIPE_URL: url } = settings;
  if (secretKey === undefined) {
    if (settings.HEADGATE_BILLING_SCHEDULE === undefined) return null;
    const problem = 'HEADGATE_BILLING_SCHEDULE: it needs STRIPE_SECRET_KEY; set both, or none';
    throw new InputError('invalid_config', `config: ${problem}`, { details: { problems: [problem] } });
  }
  if (url !== undefined && secretKey.reveal().includes('_live_')) {
    const problem = 'HEADGATE_STRIPE_URL: a live key goes to Stripe alone; unset it, or set a test key';
    throw new InputError('invalid_config', `config: ${problem}`, { details: { problems: [problem] } });
  }
  return {
    secretKey,
    url: url ?? null,
    timeoutMs: settings.HEADGATE_STRIPE_TIMEOUT_SECONDS * 1000,
    concurrency: settings.HEADGATE_STRIPE_CONCURRENCY,
    webhookSecrets: settings.STRIPE_WEBHOOK_SECRET ?? [],
  };
}

function alertWebhookOf(settings: Settings): AlertWebhookConfig | null {
  const { HEADGATE_ALERT_WEBHOOK_URL: url, HEADGATE_ALERT_WEBHOOK_SECRET: secrets } = settings;
  if (url === undefined) return null;
  if (secrets === undefined) {
    const problem =
      'HEADGATE_ALERT_WEBHOOK_URL: needs HEADGATE_ALERT_WEBHOOK_SECRET, which messages are signed with';
    throw new InputError('invalid_config', `config: ${problem}`, { details: { problems: [problem] } });
  }
  return { url, secrets, timeoutMs: settings.HEADGATE_ALERT_WEBHOOK_TIMEOUT_SECONDS * 1000 };
}

function databaseOf(settings: Settings): DatabaseConfig | null {
  if (settings.DATABASE_URL === undefined) return null;
  return {
    url: settings.DATABASE_URL,
    poolSize: settings.HEADGATE_DATABASE_POOL,
    timeoutMs: settings.HEADGATE_DATABASE_TIMEOUT_SECONDS * 1000,
  };
}

function clickHouseOf(settings: Settings): ClickHouseConfig | null {
  if (settings.CLICKHOUSE_URL === undefined) return null;
  return {
    url: settings.CLICKHOUSE_URL,
    caFile: settings.HEADGATE_CLICKHOUSE_CA_FILE ?? null,
    timeoutMs: settings.HEADGATE_CLICKHOUSE_TIMEOUT_SECONDS * 1000,
  };
}

function kafkaOf(settings: Settings): KafkaConfig | null {
  if (settings.KAFKA_BROKERS === undefined) return null;
  return {
    brokers: settings.KAFKA_BROKERS,
    topicPrefix: settings.HEADGATE_KAFKA_TOPIC_PREFIX,
    generation: settings.HEADGATE_KAFKA_GENERATION,
    partitions: settings.HEADGATE_KAFKA_PARTITIONS,
    replication: settings.HEADGATE_KAFKA_REPLICATION,
    retentionDays: settings.HEADGATE_KAFKA_RETENTION_DAYS,
    timeoutMs: settings.HEADGATE_KAFKA_TIMEOUT_SECONDS * 1000,
    tls: settings.HEADGATE_KAFKA_TLS,
    caFile: settings.HEADGATE_KAFKA_CA_FILE ?? null,
    sasl: saslOf(settings),
  };
}

function saslOf(settings: Settings): KafkaConfig['sasl'] {
  const { HEADGATE_KAFKA_SASL: mechanism, HEADGATE_KAFKA_USERNAME: username } = settings;
  const password = settings.HEADGATE_KAFKA_PASSWORD;
  if (mechanism === 'none') return null;
  if (username !== undefined && password !== undefined) return { mechanism, username, password };
  const problem = `HEADGATE_KAFKA_SASL: ${mechanism} needs HEADGATE_KAFKA_USERNAME and HEADGATE_KAFKA_PASSWORD`;
  throw new InputError('invalid_config', `config: ${problem}`, { details: { problems: [problem] } });
}

function deepFreeze<Value extends object>(value: Value): Value {
  for (const child of Object.values(value))
    if (typeof child === 'object' && child !== null) deepFreeze(child);
  return Object.freeze(value);
}
