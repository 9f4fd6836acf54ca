import { eq } from 'drizzle-orm';
import { RefusedError } from '../core/errors.js';
import { keepFirst } from './sql/installation.js';
import { installation } from './sql/schema.js';
import type { Sql } from './sql/sql.js';
import type { VaultKeys } from './vault-keys.js';

export const HOW_TO_SHARE_KEYS =
  'processes on one DATABASE_URL share their keys: set HEADGATE_TOKEN_KEY and HEADGATE_VAULT_KEY on every one, to "tokenKey" and the ' +
  'first of "encryptionKeys" in keys.json of the data directory of the process that was first';

/**
 * Whoever encrypts with a key that others don't have would leave them values that they can't read. The store knows which key is in use;
 * a process that has it and a newer one puts the newer in its place.
 *
 * @throws RefusedError when this process does not have the key in use
 */
export async function shareEncryptionKey(sql: Sql, { encryptionKeys }: VaultKeys): Promise<void> {
  const [newest] = encryptionKeys;
  const inUse = await keepFirst(sql, 'vault_key', newest.keyId);
  if (!encryptionKeys.some(({ keyId }) => keyId === inUse)) {
    throw new RefusedError(
      'invalid_config',
      `vault: personal values are encrypted with the key ${inUse}, which HEADGATE_VAULT_KEY is not; ${HOW_TO_SHARE_KEYS}`,
    );
  }
  if (inUse === newest.keyId) return;
  await sql.database
    .update(installation)
    .set({ value: newest.keyId })
    .where(eq(installation.name, 'vault_key'));
}
