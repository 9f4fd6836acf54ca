import { and, desc, eq, inArray, sql as sqlText } from 'drizzle-orm';
import { compareText } from '../../core/compare.js';
import type { OutsideAccount } from '../../platform/outbound/intent.js';
import { ofAccount } from '../../platform/sql/of-account.js';
import type { SqlDatabase } from '../../platform/sql/sql.js';
import { stripeFacts, stripeInvoices } from '../../platform/sql/stripe-schema.js';
import { eventLine, sourceOf, type Fact } from './fact.js';
import { digestOfFact } from './subscription-facts.js';
import { sha256 } from '../../platform/sha256.js';

export type MirroredInvoice = typeof stripeInvoices.$inferSelect;

/**
 * Writes down which of these facts are new, and gives their events. A fact that was told, by whatever row, is not told again: what an
 * event says stands from then on, whatever Stripe says of it later.
 *
 * @param told whose row it is that will emit them
 */
export async function newEvents(
  database: SqlDatabase,
  account: OutsideAccount,
  facts: readonly Fact[],
  { toldBy, subject }: { readonly toldBy: string; readonly subject: string },
): Promise<Uint8Array> {
  const inOrder = [...facts].sort((a, b) =>
    a.at === b.at ? compareText(a.factId, b.factId) : a.at < b.at ? -1 : 1,
  );
  const told = await keep(
    database,
    account,
    inOrder.filter(({ takesBack }) => takesBack === null),
    toldBy,
  );
  const taken = inOrder.filter(({ takesBack }) => takesBack !== null);
  const standing = await whichAreTold(
    database,
    account,
    taken.map(({ takesBack }) => takesBack ?? ''),
  );
  const back = await keep(
    database,
    account,
    taken.filter(({ takesBack }) => takesBack !== null && standing.has(takesBack)),
    toldBy,
  );
  const lines = inOrder
    .filter(({ factId }) => told.has(factId) || back.has(factId))
    .map((one) => eventLine(one, sourceOf(account), subject));
  return Buffer.from(lines.join(''));
}

async function keep(
  database: SqlDatabase,
  account: OutsideAccount,
  facts: readonly Fact[],
  toldBy: string,
): Promise<ReadonlySet<string>> {
  if (facts.length === 0) return new Set();
  const rows = facts.map((one) => ({
    ...{ ...account, factId: one.factId, objectId: one.objectId, at: one.at, toldBy },
    digest: digestOfFact(one, sha256),
  }));
  const kept = await database
    .insert(stripeFacts)
    .values(rows)
    .onConflictDoNothing()
    .returning({ factId: stripeFacts.factId });
  return new Set(kept.map(({ factId }) => factId));
}

async function whichAreTold(
  database: SqlDatabase,
  account: OutsideAccount,
  factIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (factIds.length === 0) return new Set();
  const rows = await database
    .select({ factId: stripeFacts.factId })
    .from(stripeFacts)
    .where(and(ofAccount(stripeFacts, account), inArray(stripeFacts.factId, [...factIds])));
  return new Set(rows.map(({ factId }) => factId));
}

/** What was told of an object last, by when it happened; null when nothing was. */
export async function lastTold(
  database: SqlDatabase,
  account: OutsideAccount,
  objectId: string,
): Promise<{ readonly factId: string; readonly digest: string } | null> {
  const [last] = await database
    .select({ factId: stripeFacts.factId, digest: stripeFacts.digest })
    .from(stripeFacts)
    .where(and(ofAccount(stripeFacts, account), eq(stripeFacts.objectId, objectId)))
    .orderBy(desc(stripeFacts.at), desc(stripeFacts.factId))
    .limit(1);
  return last ?? null;
}

/** Keeps how an invoice stands, unless a newer answer is there. */
export async function keepInvoice(database: SqlDatabase, invoice: MirroredInvoice): Promise<void> {
  const { account, mode, invoiceId } = stripeInvoices;
  await database
    .insert(stripeInvoices)
    .values(invoice)
    .onConflictDoUpdate({
      target: [account, mode, invoiceId],
      set: invoice,
      setWhere: sqlText`${stripeInvoices.askedAt} <= excluded.asked_at`,
    });
}
