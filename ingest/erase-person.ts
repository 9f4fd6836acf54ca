import type { Instant } from '../core/time.js';
import type { AuditLog } from '../platform/audit-log.js';
import type { Vault, Who } from '../platform/vault.js';
import type { Sql } from '../platform/sql/sql.js';
import type { QuarantineStore } from './quarantine-store.js';
import { dropTold } from './stripe/inbox-store.js';

export interface ErasureServices {
  readonly vault: Vault;
  readonly quarantine: QuarantineStore;
  readonly sql: Sql;
  readonly audit: AuditLog;
}

export interface Erasure {
  /** Values that the vault no longer has. */
  readonly values: number;
  /** Events in quarantine that held one of them, and are gone. */
  readonly quarantined: number;
  /** Webhooks that were taken care of and held one of them, and are gone. */
  readonly webhooks: number;
}

/** A shorter text stands in too many others: it counts where it stands as a whole JSON string. */
const TELLING_LENGTH = 6;

/**
 * Forgets a person. Raw events, marts and ledgers stay whole, since they hold tokens alone; what the tokens stood for is gone, and with it
 * what quarantine and the inbox kept of it as it was sent. What another person shares with them stays for the other. Doing it again is harmless, and
 * finishes what was broken off: quarantine goes first, because the vault tells what to look for.
 */
export async function erasePerson(
  who: Who,
  actor: string,
  { vault, quarantine, sql, audit }: ErasureServices,
  now: Instant,
): Promise<Erasure> {
  const values = new Set(await vault.valuesOf(who));
  // Of an event that never passed the vault knows nothing.
  if ('value' in who) values.add(who.value);
  const texts = [...values].flatMap(spellings);
  const quarantined = await quarantine.dropWith(texts);
  const webhooks = await dropTold(sql, texts);
  const erasure = { values: await vault.erase(who), quarantined, webhooks };
  // The record must not keep what was to be forgotten.
  const target = 'person' in who ? who.person : vault.token(who.value);
  await audit.append({ actor, action: 'person.erase', target, details: { ...erasure } }, now);
  return erasure;
}

/** How a value may stand in what was sent: as it is, and as JSON writes it. */
function spellings(value: string): string[] {
  if (value === '') return [];
  const json = JSON.stringify(value);
  return value.length < TELLING_LENGTH ? [json] : [...new Set([value, json.slice(1, -1)])];
}
