import { Cron } from 'croner';
import { z } from 'zod';
import { InputError } from '../core/errors.js';
import { parseMajor } from '../core/money.js';
import { SecretText } from './secrets.js';

const MIB = 1024 * 1024;

/** Whole numbers only: `parseInt` would read "10MB" as 10. */
const wholeNumber = (fallback: number, { min, max }: { min: number; max: number }) =>
  z
    .string()
    .regex(/^\d+$/, 'write a whole number')
    .transform(Number)
    .pipe(z.number().min(min).max(max))
    .default(fallback);

const SECRET_FORM =
  'write whsec_ and 24 or more random bytes as base64: echo whsec_$(openssl rand -base64 32)';
const KEY_BYTES = 32;
const secretKey = z.base64().transform((text, context) => {
  const key = Buffer.from(text, 'base64');
  if (key.length !== KEY_BYTES) {
    context.addIssue({ code: 'custom', message: 'write 32 random bytes as base64: openssl rand -base64 32' });
    return z.NEVER;
  }
  return new Uint8Array(key);
});

/** A URL's password must not show in an error, so neither does the URL. */
const serviceUrl = (protocols: readonly string[], example: string) =>
  z
    .string()
    .refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
      error: `write a URL like ${example}`,
    })
    .transform((text) => new SecretText(text));

const brokers = z
  .string()
  .regex(/^[^\s,:]+:\d{1,5}(,[^\s,:]+:\d{1,5})*$/, 'write host:port, several with commas between')
  .transform((text) => text.split(','));

const schedule = z.string().refine(isCronPattern, {
  error: 'write five fields as cron has them (minute hour day month weekday), in UTC: 5 * * * *',
});

function isCronPattern(text: string): boolean {
  if (text.trim().split(/\s+/).length !== 5) return false;
  try {
    return new Cron(text, { paused: true }).nextRun() !== null;
  } catch {
    return false;
  }
}

/** As `5000 USD, 4500 EUR`: minor units by currency. */
const moneyByCurrency = z.string().transform((text, context) => {
  const amounts = text.split(',').map((one) => /^\s*(\d+(?:\.\d+)?) ([A-Z]{3})\s*$/.exec(one));
  try {
    const read = amounts.map((match) => {
      const [, amount, currency] = match ?? [];
      if (amount === undefined || currency === undefined) throw new InputError('invalid_config', 'no amount');
      return [currency, parseMajor(amount, currency).amountMinor] as const;
    });
    if (new Set(read.map(([currency]) => currency)).size === read.length) return new Map(read);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
  }
  context.addIssue({
    code: 'custom',
    message: 'write amounts, one for each currency: 5000 USD, 4500.50 EUR',
  });
  return z.NEVER;
});

const wholePercent = z
  .string()
  .regex(/^\d{1,5}$/, 'write a whole number of percent')
  .transform(Number);
/** As Standard Webhooks writes them; two with a comma between while receivers change from the second to the first. */
const webhookSecrets = z
  .string()
  .transform((text) => text.split(','))
  .pipe(
    z
      .array(z.string().regex(/^whsec_[A-Za-z0-9+/]{32,128}={0,2}$/, { error: SECRET_FORM }))
      .max(2, 'at most two at once'),
  )
  .transform((secrets) => secrets.map((secret) => new SecretText(secret)));

const flag = z
  .enum(['true', 'false'])
  .transform((text) => text === 'true')
  .default(false);

/**
 * Every variable of the environment that Headgate reads, with its default. `.env.example` lists the same names, and
 * a test says so.
 */
export const Environment = z.object({
  DATABASE_URL: serviceUrl(
    ['postgres:', 'postgresql:'],
    'postgres://user:password@host:5432/headgate',
  ).optional(),
  HEADGATE_DATABASE_POOL: wholeNumber(10, { min: 2, max: 1000 }),
  HEADGATE_DATABASE_TIMEOUT_SECONDS: wholeNumber(30, { min: 1, max: 3600 }),
  CLICKHOUSE_URL: serviceUrl(['http:', 'https:'], 'https://user:password@host:8443/headgate').optional(),
  HEADGATE_CLICKHOUSE_CA_FILE: z.string().min(1).optional(),
  HEADGATE_CLICKHOUSE_TIMEOUT_SECONDS: wholeNumber(60, { min: 1, max: 3600 }),
  KAFKA_BROKERS: brokers.optional(),
  HEADGATE_KAFKA_TOPIC_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,100}$/, 'use letters, digits, ".", "_" and "-"')
    .default('headgate'),
  HEADGATE_KAFKA_GENERATION: wholeNumber(0, { min: 0, max: 1000 }),
  HEADGATE_KAFKA_PARTITIONS: wholeNumber(6, { min: 1, max: 1000 }),
  HEADGATE_KAFKA_REPLICATION: wholeNumber(1, { min: 1, max: 10 }),
  HEADGATE_KAFKA_RETENTION_DAYS: wholeNumber(30, { min: 1, max: 36_500 }),
  HEADGATE_KAFKA_TIMEOUT_SECONDS: wholeNumber(15, { min: 1, max: 600 }),
  HEADGATE_KAFKA_TLS: flag,
  HEADGATE_KAFKA_CA_FILE: z.string().min(1).optional(),
  HEADGATE_KAFKA_SASL: z.enum(['none', 'plain', 'scram-sha-256', 'scram-sha-512']).default('none'),
  HEADGATE_KAFKA_USERNAME: z.string().min(1).optional(),
  HEADGATE_KAFKA_PASSWORD: z
    .string()
    .min(1)
    .transform((text) => new SecretText(text))
    .optional(),
  STRIPE_SECRET_KEY: z
    .string()
    .regex(/^(sk|rk)_(test|live)_\S+$/, 'write a secret key of Stripe: sk_test_… or sk_live_…')
    .transform((text) => new SecretText(text))
    .optional(),
  STRIPE_WEBHOOK_SECRET: z
    .string()
    .regex(
      /^whsec_[^\s,]+(,whsec_[^\s,]+)?$/,
      'write a signing secret of Stripe, whsec_…; two with a comma while one is replaced',
    )
    .transform((text) => text.split(',').map((secret) => new SecretText(secret)))
    .optional(),
  HEADGATE_STRIPE_URL: serviceUrl(['http:', 'https:'], 'http://127.0.0.1:12111').optional(),
  HEADGATE_STRIPE_TIMEOUT_SECONDS: wholeNumber(20, { min: 1, max: 80 }),
  HEADGATE_STRIPE_CONCURRENCY: wholeNumber(4, { min: 1, max: 50 }),
  HEADGATE_BILLING_SCHEDULE: schedule.optional(),
  HEADGATE_BILLING_GRACE_HOURS: wholeNumber(24, { min: 0, max: 744 }),
  HEADGATE_BILLING_APPROVE_ABOVE: moneyByCurrency.optional(),
  HEADGATE_BILLING_APPROVE_RISE_PERCENT: wholePercent.optional(),
  HEADGATE_ALERT_WEBHOOK_URL: serviceUrl(
    ['http:', 'https:'],
    'https://example.com/headgate-alerts',
  ).optional(),
  HEADGATE_ALERT_WEBHOOK_SECRET: webhookSecrets.optional(),
  HEADGATE_ALERT_WEBHOOK_TIMEOUT_SECONDS: wholeNumber(10, { min: 1, max: 60 }),
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
  HEADGATE_WAREHOUSE_MEMORY_MIB: wholeNumber(416, { min: 128, max: 1024 * 1024 }),
  HEADGATE_WAREHOUSE_THREADS: wholeNumber(2, { min: 1, max: 256 }),
  HEADGATE_SQL_TIMEOUT_SECONDS: wholeNumber(30, { min: 1, max: 3600 }),
  HEADGATE_SQL_MEMORY_MIB: wholeNumber(512, { min: 64, max: 1024 * 1024 }),
  HEADGATE_SQL_MAX_ROWS: wholeNumber(100_000, { min: 1, max: 10_000_000 }),
  HEADGATE_TRANSFORM_SCHEDULE: schedule.optional(),
  HEADGATE_RUNS_KEPT: wholeNumber(5, { min: 1, max: 1000 }),
  HEADGATE_QUARANTINE_DAYS: wholeNumber(90, { min: 1, max: 3650 }),
  HEADGATE_PYTHON: z.string().min(1).optional(),
  HEADGATE_VAULT_KEY: secretKey.optional(),
  HEADGATE_TOKEN_KEY: secretKey.optional(),
});

export type Settings = z.infer<typeof Environment>;
