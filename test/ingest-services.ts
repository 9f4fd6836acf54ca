import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { NO_EXTRA_KEYS, type PersonalKeys } from '../core/events/personal.js';
import { STREAMS } from '../core/raw-event.js';
import { parseInstant } from '../core/time.js';
import type { FileServices } from '../ingest/files/ingest-file.js';
import { QuarantineStore } from '../ingest/quarantine-store.js';
import { Secrets } from '../platform/secrets.js';
import { LakeFiles } from '../platform/lake-files.js';
import { directChunkLog } from '../ingest/files/chunk-log.js';
import { DirectLog } from '../platform/log/direct-log.js';
import { openPgliteSql } from '../platform/sql/pglite-sql.js';
import type { Sql } from '../platform/sql/sql.js';
import { loadVaultKeys } from '../platform/vault-keys.js';
import { Vault } from '../platform/vault.js';
import { DuckdbWarehouse } from '../platform/warehouse/duckdb-warehouse.js';

export const NOW = parseInstant('2026-06-01T12:00:00Z');

export const StoredRow = z.object({
  log_offset: z.bigint(),
  source: z.string(),
  id: z.string(),
  identity: z.string(),
  type: z.string(),
  subject: z.string(),
  time: z.string(),
  data: z.string(),
  extra: z.string().nullable(),
  raw_hash: z.string(),
});
export type StoredRow = z.infer<typeof StoredRow>;

export interface IngestTestBed {
  readonly services: FileServices;
  readonly warehouse: DuckdbWarehouse;
  readonly sql: Sql;
  readonly root: string;
  /** Everything that is in the raw tables, in log order. */
  rows(): Promise<StoredRow[]>;
  close(): Promise<void>;
}

/**
 * Real ports in a directory of their own: what a data directory has, without its lock.
 *
 * @param given a directory to open again; it stays when the bed is closed
 */
export async function openIngestTestBed(
  personalKeys: PersonalKeys = NO_EXTRA_KEYS,
  given?: string,
): Promise<IngestTestBed> {
  const root = given ?? mkdtempSync(join(tmpdir(), 'headgate-ingest-'));
  const sql = await openPgliteSql('memory://');
  await sql.migrate();
  const secrets = new Secrets({ vaultKey: null, tokenKey: null });
  const vault = await Vault.open(sql, await loadVaultKeys(join(root, 'keys.json'), secrets));
  const warehouse = await DuckdbWarehouse.open(
    {
      file: join(root, 'warehouse.duckdb'),
      temporaryDirectory: root,
      memoryMib: 512,
      threads: 2,
      readConnections: 2,
      checkpointMib: 64,
    },
    new LakeFiles(join(root, 'lake')),
  );
  const log = new DirectLog(warehouse, { queueLimit: 50_000, commitLimit: 10_000 });
  return {
    root,
    sql,
    warehouse,
    services: {
      log,
      vault,
      warehouse,
      bulk: warehouse,
      chunkLog: directChunkLog(warehouse),
      quarantine: new QuarantineStore(sql),
      temporaryDirectory: root,
      personalKeys: () => Promise.resolve(personalKeys),
      limits: {
        bodyBytes: 16 << 20,
        batchEvents: 10_000,
        eventBytes: 1 << 20,
        futureSkewSeconds: 300,
      },
    },
    async rows() {
      const tables = STREAMS.map((stream) => `SELECT * FROM raw_${stream}`).join(' UNION ALL ');
      return warehouse.query(`SELECT * FROM (${tables}) ORDER BY log_offset`, {}, StoredRow);
    },
    async close() {
      await log.close();
      await warehouse.close();
      await sql.close();
      if (given === undefined) rmSync(root, { recursive: true });
    },
  };
}
