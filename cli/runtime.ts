import { randomBytes } from 'node:crypto';
import type { Services } from '../api/services.js';
import type { PersonalKeys } from '../core/events/personal.js';
import type { Instant } from '../core/time.js';
import { QuarantineStore } from '../ingest/quarantine-store.js';
import { ApiKeys } from '../platform/api-keys.js';
import { AuditLog } from '../platform/audit-log.js';
import { CatalogStore } from '../platform/catalog-store.js';
import type { Config } from '../platform/config.js';
import { openDataDirectory, type DataDirectory } from '../platform/data-directory.js';
import { LakeFiles } from '../platform/lake-files.js';
import { Lake } from '../platform/lake.js';
import { DirectLog } from '../platform/log/direct-log.js';
import { createLogger } from '../platform/logger.js';
import { openPgliteSql } from '../platform/sql/pglite-sql.js';
import { loadVaultKeys } from '../platform/vault-keys.js';
import { Vault } from '../platform/vault.js';
import { DuckdbWarehouse } from '../platform/warehouse/duckdb-warehouse.js';
import { UserSql } from '../platform/warehouse/user-sql.js';
import { RunAccess } from '../transforms/run-access.js';
import { codeRevision } from './code-revision.js';
import { embeddedTransformer } from './embedded-transformer.js';

/** A data directory held by this process, with everything that works on it. */
export interface Runtime {
  readonly services: Services;
  readonly directory: DataDirectory;
  readonly lake: Lake;
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
  const logger = createLogger(config);
  const directory = await openDataDirectory(config.dataDirectory, { command: options.command, now: clock() });
  const closers: (() => Promise<void>)[] = [() => directory.release()];
  const close = async (): Promise<void> => {
    for (const step of closers.splice(0).reverse()) await step();
  };
  try {
    const sql = await openPgliteSql(directory.sqlDirectory);
    closers.push(() => sql.close());
    await sql.migrate();
    const lakeFiles = new LakeFiles(directory.lakeDirectory);
    const warehouse = await DuckdbWarehouse.open(warehouseOptions(config, directory), lakeFiles);
    closers.push(() => warehouse.close());
    const lake = Lake.open(warehouse, lakeFiles);
    const log = new DirectLog(warehouse, { queueLimit: config.limits.queueEvents, commitLimit: 10_000 });
    closers.push(() => log.close());
    const vault = await Vault.open(sql, await loadVaultKeys(directory.keysFile, config.secrets), clock());
    const shutdown = new AbortController();
    const runs = new RunAccess(sql, warehouse);
    const catalogs = new CatalogStore(sql);
    let personalKeys = await personalKeysOf(catalogs);
    const transformer = embeddedTransformer(options, { directory, sql, warehouse, lake, runs, catalogs });
    closers.push(async () => {
      shutdown.abort();
      await transformer.stop();
    });
    const services: Services = {
      config,
      clock,
      logger,
      sql,
      warehouse,
      keys: new ApiKeys(sql),
      audit: new AuditLog(sql),
      vault,
      catalogs,
      ingest: {
        log,
        vault,
        quarantine: new QuarantineStore(sql),
        limits: config.limits,
        personalKeys: () => personalKeys,
        warehouse,
        temporaryDirectory: directory.temporaryDirectory,
      },
      publishCatalog: async (file, by) => {
        const publication = await catalogs.publish(file, { by }, clock());
        personalKeys = await personalKeysOf(catalogs);
        return publication;
      },
      runs,
      userSql: new UserSql(lakeFiles, {
        ...config.userSql,
        concurrent: 2,
        temporaryDirectory: directory.temporaryDirectory,
      }),
      transform: (request) => transformer.transform(request),
      codeRevision: codeRevision(),
      localToken: randomBytes(32).toString('base64url'),
      onProgress: options.onProgress,
      shutdown,
    };
    return { services, directory, lake, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What any published version calls personal stays so: data that came under an older one is still there. */
async function personalKeysOf(catalogs: CatalogStore): Promise<PersonalKeys> {
  const published = await catalogs.published();
  return {
    attributes: [...new Set(published.flatMap(({ catalog }) => catalog.personal.attributes))],
    fields: published.flatMap(({ catalog }) => catalog.personal.fields),
  };
}

function warehouseOptions(config: Config, directory: DataDirectory) {
  return {
    file: directory.warehouseFile,
    temporaryDirectory: directory.temporaryDirectory,
    memoryMib: config.warehouse.memoryMib,
    threads: config.warehouse.threads,
    readConnections: 4,
    checkpointMib: 64,
  };
}
