import { openPgliteSql } from './pglite-sql.js';
import { apiKeys } from './schema.js';

/** A process for a test to kill: it writes one row, says so, and waits. */
const sql = await openPgliteSql(process.argv[2] ?? '');
await sql.migrate();
await sql.database
  .insert(apiKeys)
  .values({ keyId: 'key_1', name: 'Ana', secretHash: 'h1', scopes: ['ingest'], createdAt: 1n });
process.send?.('written');
