import { hostname } from 'node:os';
import { openBillingDesk, type BillingDesk } from '../../billing/billing-desk.js';
import { cacheDirectory } from '../../cli/cache-directory.js';
import type { Instant } from '../../core/time.js';
import { AuditLog } from '../../platform/audit-log.js';
import { openDataDirectory } from '../../platform/data-directory.js';
import { SecretText } from '../../platform/secrets.js';
import { openPgSql } from '../../platform/sql/pg-sql.js';
import { openPgliteSql } from '../../platform/sql/pglite-sql.js';
import type { Sql } from '../../platform/sql/sql.js';

export const STRIPE_KEY = 'sk_test_local';
/** A lease lasts three answers: short, so that whoever comes after a killed process need not wait a minute. */
const ANSWER_MS = 700;
const CUSTOMERS_AT_ONCE = 4;

/** What outlives its billing processes. */
export interface KilledCompany {
  /** A DATABASE_URL, or a data directory. */
  readonly store: string;
  readonly stripeUrl: string;
  readonly orgs: number;
}

export const clockOfTest = (): Instant => BigInt(Date.now()) * 1000n;

export interface OpenedDesk {
  readonly desk: BillingDesk;
  readonly close: () => Promise<void>;
}

export function isServer(store: string): boolean {
  return store.startsWith('postgres:');
}

/** @throws RefusedError `data_directory_locked` while another process has the embedded store */
export async function openKilledDesk({ store, stripeUrl }: Omit<KilledCompany, 'orgs'>): Promise<OpenedDesk> {
  const { sql, close } = isServer(store) ? await openServer(store) : await openDirectory(store);
  try {
    await sql.migrate();
    const desk = await openBillingDesk({
      config: {
        ...{ secretKey: new SecretText(STRIPE_KEY), url: new SecretText(stripeUrl) },
        ...{ timeoutMs: ANSWER_MS, concurrency: CUSTOMERS_AT_ONCE, webhookSecrets: [] },
      },
      ...{
        sql,
        audit: new AuditLog(sql),
        clock: clockOfTest,
        holder: `${hostname()} process ${process.pid}`,
      },
      onProgress: () => undefined,
      onUnexpected: (error) => {
        throw error;
      },
      signal: new AbortController().signal,
    });
    return { desk, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface OpenedStore {
  readonly sql: Sql;
  readonly close: () => Promise<void>;
}

async function openServer(url: string): Promise<OpenedStore> {
  const sql = await openPgSql({ url: new SecretText(url), poolSize: 5, timeoutMs: 30_000 });
  return { sql, close: () => sql.close() };
}

/** Under the lock that a process of Headgate takes: PGlite does not notice a second one. */
async function openDirectory(path: string): Promise<OpenedStore> {
  const directory = await openDataDirectory(path, { command: 'a billing process', now: clockOfTest() });
  try {
    const { sqlDirectory, temporaryDirectory } = directory;
    const kept = { cacheDirectory: cacheDirectory(process.env), temporaryDirectory };
    const sql = await openPgliteSql(sqlDirectory, kept);
    return {
      sql,
      close: async () => {
        await sql.close();
        await directory.release();
      },
    };
  } catch (error) {
    await directory.release();
    throw error;
  }
}
