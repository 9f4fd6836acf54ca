import { randomBytes } from 'node:crypto';
import type { Services } from '../api/services.js';
import type { Instant } from '../core/time.js';
import { RefusedError } from '../core/errors.js';
import { QuarantineStore } from '../ingest/quarantine-store.js';
import { ApiKeys } from '../platform/api-keys.js';
import { AuditLog, type AuditRecord } from '../platform/audit-log.js';
import { CatalogStore, type CatalogPublication } from '../platform/catalog-store.js';
import type { Config } from '../platform/config.js';
import { openDataDirectory, type DataDirectory } from '../platform/data-directory.js';
import type { Lake } from '../platform/lake.js';
import { DirectLog } from '../platform/log/direct-log.js';
import { createLogger } from '../platform/logger.js';
import { PublishedPersonalKeys } from '../platform/published-personal-keys.js';
import { loadVaultKeys } from '../platform/vault-keys.js';
import { Vault } from '../platform/vault.js';
import { RunAccess } from '../transforms/run-access.js';
import { codeRevision } from './code-revision.js';
import { COMPACT_FROM_PARTS, embeddedTransformer } from './embedded-transformer.js';
import { openSql } from './open-sql.js';
import { openWarehouse } from './open-warehouse.js';
import { SOLE_LEADER, type Leadership } from './scheduler.js';

/** A data directory held by this process, with everything that works on it. */
export interface Runtime {
  readonly services: Services;
  readonly directory: DataDirectory;
  readonly lake: Lake;
  /** Merges small lake parts; 0 where there is no lake. */
  compactLake(): Promise<number>;
  readonly leadership: Leadership;
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

/** Opens the embedded engines in one process. Which adapters run is decided here and nowhere else. */
export async function openRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { config, clock } = options;
  refuseUnwired(config);
  const logger = createLogger(config);
  const directory = await openDataDirectory(config.dataDirectory, { command: options.command, now: clock() });
  const closers: (() => Promise<void>)[] = [() => directory.release()];
  const close = async (): Promise<void> => {
    for (const step of closers.splice(0).reverse()) await step();
  };
  try {
    const sql = await openSql(config, directory);
    closers.push(() => sql.close());
    await sql.migrate();
    const { warehouse, lake, userSql } = await openWarehouse(config, directory);
    closers.push(() => warehouse.close());
    const log = new DirectLog(warehouse, { queueLimit: config.limits.queueEvents, commitLimit: 10_000 });
    closers.push(() => log.close());
    const vault = await Vault.open(sql, await loadVaultKeys(directory.keysFile, config.secrets));
    const shutdown = new AbortController();
    const runs = new RunAccess(sql, warehouse);
    const catalogs = new CatalogStore(sql);
    const personalKeys = new PublishedPersonalKeys(catalogs, sql.isShared);
    const transformer = embeddedTransformer(options, { directory, sql, warehouse, lake, runs, catalogs });
    closers.push(async () => {
      shutdown.abort();
      await transformer.stop();
    });
    const audit = new AuditLog(sql);
    const services: Services = {
      config,
      clock,
      logger,
      sql,
      warehouse,
      keys: new ApiKeys(sql, audit),
      audit,
      vault,
      catalogs,
      ingest: {
        log,
        vault,
        quarantine: new QuarantineStore(sql),
        limits: config.limits,
        personalKeys: () => personalKeys.current(),
        warehouse,
        temporaryDirectory: directory.temporaryDirectory,
      },
      publishCatalog: async (file, by) => {
        const publication = await catalogs.publish(file, { by }, clock());
        await audit.append(publishRecord(publication, by), clock());
        await personalKeys.changed();
        return publication;
      },
      runs,
      userSql,
      transform: (request) => transformer.transform(request),
      codeRevision: codeRevision(),
      localToken: randomBytes(32).toString('base64url'),
      onProgress: options.onProgress,
      shutdown,
    };
    const compactLake = () => lake.compact({ minimumParts: COMPACT_FROM_PARTS });
    return { services, directory, lake, compactLake, leadership: SOLE_LEADER, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @throws RefusedError naming what is set and can't be used: going on without it would answer from elsewhere */
function refuseUnwired(config: Config): void {
  const unwired = { CLICKHOUSE_URL: config.clickHouse, KAFKA_BROKERS: config.kafka };
  const set = Object.entries(unwired).flatMap(([name, value]) => (value === null ? [] : [name]));
  if (set.length === 0) return;
  throw new RefusedError(
    'invalid_config',
    `config: ${set.join(', ')}: not in this version; leave it unset and the embedded default is used`,
  );
}

function publishRecord({ outcome, version }: CatalogPublication, by: string): AuditRecord {
  return {
    actor: by,
    action: 'catalog.publish',
    target: version.version.toString(),
    details: { outcome, digest: version.digest },
  };
}
