import { asc, desc, gt, sql as sqlText } from 'drizzle-orm';
import { canonicalJson } from '../core/canonical-json.js';
import type { Instant } from '../core/time.js';
import { auditEntries } from './sql/schema.js';
import { transaction, type Sql, type SqlDatabase } from './sql/sql.js';
import { sha256 } from './sha256.js';

export interface AuditRecord {
  /** A key's id, or `cli:<user>` */
  readonly actor: string;
  /** What was done: `catalog.publish`, `key.revoke`, `month.close`. */
  readonly action: string;
  readonly target: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface AuditEntry extends Omit<AuditRecord, 'details'> {
  readonly sequence: bigint;
  readonly at: Instant;
  /** Canonical JSON. */
  readonly details: string;
  readonly previousHash: string;
  readonly hash: string;
}

export type AuditCheck =
  | { readonly ok: true; readonly entries: bigint }
  | { readonly ok: false; readonly sequence: bigint; readonly problem: string };

const GENESIS = '0'.repeat(64);
const PAGE = 500;
/** Any constant will do, as long as nothing else in this database locks on it. */
const APPEND_LOCK = 4_871_001;

/** Who did what. It only grows, and each entry holds the hash of the one before: a gap or a change shows. */
export class AuditLog {
  constructor(private readonly sql: Sql) {}

  append(record: AuditRecord, now: Instant): Promise<AuditEntry> {
    return transaction(this.sql, (database) => this.appendIn(database, record, now));
  }

  /** In the transaction of what it tells, so that there is neither without the other. Others append once that has ended. */
  async appendIn(database: SqlDatabase, record: AuditRecord, now: Instant): Promise<AuditEntry> {
    // Two appends at once would both follow the same entry.
    await database.execute(sqlText`select pg_advisory_xact_lock(${APPEND_LOCK})`);
    const [last] = await database.select().from(auditEntries).orderBy(desc(auditEntries.sequence)).limit(1);
    const content = {
      sequence: (last?.sequence ?? 0n) + 1n,
      at: now,
      actor: record.actor,
      action: record.action,
      target: record.target,
      details: canonicalJson(record.details),
      previousHash: last?.hash ?? GENESIS,
    };
    const entry = { ...content, hash: hashOf(content) };
    await database.insert(auditEntries).values(entry);
    return entry;
  }

  /** Oldest first, after `after`. */
  list({ after = 0n, limit = PAGE }: { after?: bigint; limit?: number } = {}): Promise<AuditEntry[]> {
    return this.sql.database
      .select()
      .from(auditEntries)
      .where(gt(auditEntries.sequence, after))
      .orderBy(asc(auditEntries.sequence))
      .limit(limit);
  }

  /** Recomputes the whole chain. What was cut off at the end can't be seen from here: keep the last hash elsewhere. */
  async verify(): Promise<AuditCheck> {
    let previous: AuditEntry | null = null;
    for (;;) {
      const page: AuditEntry[] = await this.list({ after: previous?.sequence ?? 0n });
      if (page.length === 0) return { ok: true, entries: previous?.sequence ?? 0n };
      for (const entry of page) {
        const problem = problemOf(entry, previous);
        if (problem !== null) return { ok: false, sequence: entry.sequence, problem };
        previous = entry;
      }
    }
  }
}

function problemOf(entry: AuditEntry, previous: AuditEntry | null): string | null {
  if (entry.sequence !== (previous?.sequence ?? 0n) + 1n) return 'entries before it are missing';
  if (entry.previousHash !== (previous?.hash ?? GENESIS)) return 'it does not follow the entry before it';
  return entry.hash === hashOf(entry) ? null : 'it was changed after it was written';
}

function hashOf(entry: Omit<AuditEntry, 'hash'>): string {
  const { sequence, at, actor, action, target, details, previousHash } = entry;
  const parts = [previousHash, sequence.toString(), at.toString(), actor, action, target, details];
  return sha256(JSON.stringify(parts));
}
