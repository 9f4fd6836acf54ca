import { eq } from 'drizzle-orm';
import { RefusedError } from '../../core/errors.js';
import { installation } from './schema.js';
import type { Sql } from './sql.js';

/** What an installation is set up with once. A secret stands here as a hash of it, never as itself. */
export type InstallationName =
  | 'token_key'
  | 'vault_key'
  | 'warehouse'
  | `kafka_topic ${string}`
  | `stripe_account ${'live' | 'test'}`
  | `stripe_key ${string}`;

/**
 * Keeps `value` when there is none yet, and refuses when there is another: this process was pointed at something that does not belong
 * to the store, or the store at something that does not belong to the rest.
 *
 * @param message names the setting that is wrong and says what to do
 * @throws RefusedError `invalid_config` with that message
 */
export async function checkFingerprint(
  sql: Sql,
  name: InstallationName,
  value: string,
  message: string,
): Promise<void> {
  const first = await keepFirst(sql, name, value);
  if (first !== value) throw new RefusedError('invalid_config', message);
}

/** Of several processes that come with a value of their own at once, one is first, and all get its value. */
export async function keepFirst(sql: Sql, name: InstallationName, value: string): Promise<string> {
  await sql.database.insert(installation).values({ name, value }).onConflictDoNothing();
  return (await installationValue(sql, name)) ?? value;
}

export async function installationValue(sql: Sql, name: InstallationName): Promise<string | null> {
  const [row] = await sql.database.select().from(installation).where(eq(installation.name, name));
  return row?.value ?? null;
}
