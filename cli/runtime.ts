import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Services } from '../api/services.js';
import type { DeskDeps } from '../billing/billing-desk.js';
import { paymentDelinquency } from '../billing/quota/payment-delinquency.js';
import { openQuota } from '../billing/quota/quota.js';
import type { Instant } from '../core/time.js';
import { QuarantineStore } from '../ingest/quarantine-store.js';
import { ApiKeys } from '../platform/api-keys.js';
import { AuditLog, type AuditRecord } from '../platform/audit-log.js';
import { CatalogStore, type CatalogPublication } from '../platform/catalog-store.js';
import type { Config } from '../platform/config.js';
import type { InboxDeps, StripeInbox } from '../ingest/stripe/stripe-inbox.js';
import { openDataDirectory, type DataDirectory } from '../platform/data-directory.js';
import type { Lake } from '../platform/lake.js';
import { createLogger } from '../platform/logger.js';
import { modeOf } from '../platform/outbound/stripe/key-mode.js';
import { PublishedPersonalKeys } from '../platform/published-personal-keys.js';
import { loadVaultKeys } from '../platform/vault-keys.js';
import { Vault } from '../platform/vault.js';
import { RunAccess } from '../transforms/run-access.js';
import type { Transformer } from '../transforms/runner/transform.js';
import { checkTopics, checkWarehouse } from './check-installation.js';
import { siteDirectory } from './dashboards/site-directory.js';
import { codeRevision } from './code-revision.js';
import { leasedTransformer } from './leased-transformer.js';
import { observeCompany } from './observe-company.js';
import { openLog } from './open-log.js';
import { openSql } from './open-sql.js';
import { openWarehouse, type OpenedWarehouse } from './open-warehouse.js';
import { SOLE_LEADER, type Leadership } from './scheduler.js';
import { leasedLeadership } from './scheduler-lease.js';
import { startTelemetry } from './telemetry.js';
import { TopicsConsumer } from './topics-consumer.js';
import type { TransformerParts } from './transformer-parts.js';

/** A data directory held by this process, with everything that works on it. */
export interface Runtime {
  readonly services: Services;
  readonly directory: DataDirectory;
  /** Null where no log lies between the API and the warehouse. */
  readonly topics: TopicsConsumer | null;
  /** Null where raw rows stay on a server. */
  readonly lake: Lake | null;
  /** Waits for its turn to do scheduled work, where several processes have that duty. */
  lead(): Leadership;
  /** Finishes what is under way, refuses what comes, and lets go of the directory. */
  close(): Promise<void>;
}

export interface RuntimeOptions {
  readonly config: Config;
  /** Who holds the directory, as another process's error will say. */
  readonly command: string;
  readonly clock: () => Instant;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly onProgress: (message: string) => void;
}

/** The clock of this process: the only place where Headgate asks what time it is. */
export const systemClock = (): Instant => BigInt(Date.now()) * 1000n;

/** Another process moves the pointer of a shared store: how old what we know of it may be. */
const POINTER_GOOD_FOR_MS = 1_000;

/** Opens what the config names, and the embedded default of everything else. Which adapters run is decided here and nowhere else. */
export async function openRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { config, clock } = options;
  const directory = await openDataDirectory(config.dataDirectory, { command: options.command, now: clock() });
  const closers: Closer[] = [() => directory.release()];
  const close = async (): Promise<void> => {
    for (const step of closers.splice(0).reverse()) await step();
  };
  try {
    const engines = await openEngines(options, directory, closers);
    const { sql, opened, topics, holder } = engines;
    const services = await openServices(options, directory, engines, closers);
    return {
      services,
      directory,
      topics,
      lake: opened.lake,
      lead: () => (sql.isShared ? leasedLeadership(sql, holder) : SOLE_LEADER),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

type Closer = () => Promise<void>;
type Engines = Awaited<ReturnType<typeof openEngines>>;

/** Store, warehouse and log, once it is sure that they belong together. */
async function openEngines(
  { config, clock, environment }: RuntimeOptions,
  directory: DataDirectory,
  closers: Closer[],
) {
  const logger = createLogger(config);
  // For people who ask who has a lease.
  const holder = `${hostname()} process ${process.pid}`;
  const sql = await openSql(config, directory, environment);
  closers.push(() => sql.close());
  await sql.migrate();
  const opened = await openWarehouse(config, directory);
  const { warehouse } = opened;
  closers.push(() => warehouse.close());
  const group = `headgate-${await checkWarehouse(sql, opened.identity)}`;
  const openedLog = await openLog({ config, logger, sql, holder }, opened);
  closers.push(openedLog.close);
  const { kafka } = openedLog;
  if (kafka !== null) await checkTopics(sql, kafka);
  const quarantine = new QuarantineStore(sql);
  const topics = kafka === null ? null : new TopicsConsumer(kafka, { warehouse, quarantine, clock, group });
  closers.push(async () => topics?.stop());
  return { logger, holder, sql, opened, warehouse, openedLog, quarantine, topics };
}

async function openServices(
  options: RuntimeOptions,
  directory: DataDirectory,
  { logger, holder, sql, opened, warehouse, openedLog, quarantine, topics }: Engines,
  closers: Closer[],
): Promise<Services> {
  const { config, clock } = options;
  const vault = await Vault.open(sql, await loadVaultKeys(directory.keysFile, config.secrets));
  const shutdown = new AbortController();
  const runs = new RunAccess(sql, warehouse, sql.isShared ? { clock, goodForMs: POINTER_GOOD_FOR_MS } : null);
  const catalogs = new CatalogStore(sql);
  const personalKeys = new PublishedPersonalKeys(catalogs, sql.isShared);
  const transformer = transformerOf(opened, { ...options, directory, sql, runs, catalogs }, holder);
  closers.push(async () => {
    shutdown.abort();
    await transformer.stop();
  });
  const telemetry = startTelemetry();
  closers.push(() => telemetry.close());
  observeCompany(telemetry.meter, { sql, clock, quarantine, topics });
  const audit = new AuditLog(sql);
  const ingest = {
    log: openedLog.log,
    vault,
    quarantine,
    limits: config.limits,
    personalKeys: () => personalKeys.current(),
    warehouse,
    bulk: openedLog.kafka === null ? opened.bulk : null,
    chunkLog: openedLog.chunkLog,
    temporaryDirectory: directory.temporaryDirectory,
  };
  const inbox = inboxOf({ config, sql, ingest, catalogs, clock, logger, signal: shutdown.signal });
  closers.push(inbox.stop);
  return {
    config,
    clock,
    logger,
    sql,
    warehouse,
    keys: new ApiKeys(sql, audit),
    audit,
    vault,
    catalogs,
    ingest,
    publishCatalog: async (file, by) => {
      const publication = await catalogs.publish(file, { by }, clock());
      await audit.append(publishRecord(publication, by), clock());
      await personalKeys.changed();
      return publication;
    },
    runs,
    userSql: opened.userSql,
    ...pagesOf(options, opened, directory),
    transform: async (request) => {
      await topics?.catchUp(request.onProgress ?? (() => undefined));
      return transformer.transform(request);
    },
    quota: quotaOf({ config, clock, sql, catalogs, runs, logger, signal: shutdown.signal }, opened.warehouse),
    billing: deskOf({ ...options, sql, audit, logger, holder, signal: shutdown.signal }),
    stripeInbox: inbox.open,
    topics,
    meter: telemetry.meter,
    readTelemetry: () => telemetry.read(),
    codeRevision: codeRevision(),
    localToken: randomBytes(32).toString('base64url'),
    onProgress: options.onProgress,
    shutdown,
  };
}

function pagesOf(
  { environment }: RuntimeOptions,
  { pageSql }: OpenedWarehouse,
  { temporaryDirectory }: DataDirectory,
): Pick<Services, 'pageSql' | 'dashboards'> {
  const tablesDirectory = join(temporaryDirectory, 'dashboards');
  return { pageSql, dashboards: { siteDirectory: siteDirectory(environment), tablesDirectory } };
}

/** What only a serving process keeps up to date; a command reads what it asks about. */
function quotaOf(
  {
    config,
    runs,
    logger,
    ...parts
  }: Pick<Services, 'config' | 'clock' | 'sql' | 'catalogs' | 'runs' | 'logger'> & { signal: AbortSignal },
  warehouse: Services['warehouse'],
): Services['quota'] {
  return openQuota({
    ...{ ...parts, warehouse, fetch },
    endpoint: config.alertWebhook,
    withRun: (work) => runs.withRun({}, work),
    currentRunId: () => runs.currentRunId(),
    // Without Stripe nobody tells who pays.
    delinquencyOf:
      config.stripe === null
        ? () => Promise.resolve('none')
        : paymentDelinquency(parts.sql, modeOf(config.stripe.secretKey), parts.clock),
    onError: (error) => {
      logger.error({ error }, 'quota: usage could not be read');
    },
  });
}

type DeskParts = Pick<RuntimeOptions, 'config' | 'clock' | 'onProgress'> &
  Pick<DeskDeps, 'sql' | 'audit' | 'holder' | 'signal'> & { readonly logger: Logger };

/** Opened once; a failure to is tried anew. */
function openedOnce<Opened>(open: () => Promise<Opened>): () => Promise<Opened> {
  let opened: Promise<Opened> | null = null;
  return () => {
    opened ??= open().catch((error: unknown) => {
      opened = null;
      throw error;
    });
    return opened;
  };
}

function deskOf({ config, logger, ...parts }: DeskParts): Services['billing'] {
  const onUnexpected = (error: unknown): void => {
    logger.error({ error }, 'billing: something unexpected');
  };
  return openedOnce(async () => {
    // Stripe's SDK takes a while to load, and few commands need it.
    const { openBillingDesk } = await import('../billing/billing-desk.js');
    return openBillingDesk({ ...parts, config: config.stripe, onUnexpected });
  });
}

type InboxParts = Omit<InboxDeps, 'own' | 'onUnexpected'> & {
  readonly config: Config;
  readonly logger: Logger;
};

function inboxOf({ config, logger, ...parts }: InboxParts): {
  readonly open: Services['stripeInbox'];
  readonly stop: () => Promise<void>;
} {
  const onUnexpected = (error: unknown): void => {
    logger.error({ error }, 'webhooks: something unexpected');
  };
  let inbox: StripeInbox | null = null;
  const open = openedOnce(async () => {
    const { openOwnAccount } = await import('../platform/outbound/stripe/own-account.js');
    const { StripeInbox: Inbox } = await import('../ingest/stripe/stripe-inbox.js');
    inbox = new Inbox({ ...parts, own: await openOwnAccount(config.stripe, parts.sql), onUnexpected });
    return inbox;
  });
  return { open, stop: async () => inbox?.stop() };
}

function transformerOf(
  { transformer }: OpenedWarehouse,
  parts: TransformerParts,
  holder: string,
): Transformer {
  if (!parts.sql.isShared) return transformer(parts);
  return leasedTransformer(parts.sql, holder, (assertLeader) => transformer({ ...parts, assertLeader }));
}

function publishRecord({ outcome, version }: CatalogPublication, by: string): AuditRecord {
  return {
    actor: by,
    action: 'catalog.publish',
    target: version.version.toString(),
    details: { outcome, digest: version.digest },
  };
}
