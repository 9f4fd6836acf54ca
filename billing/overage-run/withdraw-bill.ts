import { invariant, RefusedError } from '../../core/errors.js';
import { derivedId } from '../../core/ids.js';
import { sendable } from '../../platform/outbound/intent.js';
import type { OwnDraft } from '../../platform/outbound/stripe/remove-draft.js';
import { transaction } from '../../platform/sql/sql.js';
import type { KeptBill } from './bill-store.js';
import { notesMade } from './check-credit-note.js';
import { leaseOfCustomer, type ExecuteDeps } from './execute-bills.js';
import { sha256 } from '../../platform/sha256.js';

export interface WithdrawDeps extends ExecuteDeps {
  /** Deletes a draft, and what we put on it; refuses where it is none any more. */
  readonly removeDraft: (draft: OwnDraft) => Promise<void>;
}

/**
 * Takes a bill back that can't come to its end: its customer was deleted, say, or its draft. The draft goes from Stripe first, whatever
 * was made of it, so that nobody can make it final; then the ledger gives back what was entered, and the next run bills it anew, to
 * whoever pays for the org then. Killed in between, it may be asked again.
 *
 * @throws RefusedError `conflict` when the bill is final, here or at Stripe, or another process has its customer in its hands
 */
export async function withdrawBill(
  { billId }: KeptBill,
  { reason, actor }: { readonly reason: string; readonly actor: string },
  deps: WithdrawDeps,
): Promise<void> {
  const lease = await leaseOfCustomer(await currentBill(billId, deps), deps);
  if (lease === null) {
    throw new RefusedError(
      'conflict',
      `another process has the customer of ${billId} in its hands; try again when it is done`,
    );
  }
  try {
    // Nobody else moves it on from here; before, somebody may have.
    const bill = await currentBill(billId, deps);
    if (bill.state === 'withdrawn') return;
    if (bill.creditsBillId !== null) await requireNoNote(bill, deps);
    else if (bill.state === 'finalized') await requireVoided(bill, deps);
    else for (const draft of await draftsOf(bill, deps)) await deps.removeDraft(draft);
    const withdrawalId = withdrawalIdOf(billId);
    const now = deps.clock();
    await transaction(deps.sql, async (database) => {
      await lease.assertHeld(database);
      if (!(await deps.store.withdraw(database, bill, withdrawalId, now))) return;
      // What was taken off an invoice is void with it: its lines are billed anew, whole.
      for (const note of await deps.store.notesOn(database, billId)) {
        await deps.store.withdraw(database, note, withdrawalIdOf(note.billId), now);
      }
      const { orgId, currency, totalMinor } = bill;
      const details = { orgId, currency, totalMinor: totalMinor.toString(), reason };
      await deps.audit.appendIn(database, { actor, action: 'bill.withdraw', target: billId, details }, now);
    });
  } finally {
    await lease.release();
  }
}

/** What the entries that give back a bill's are known by. */
export function withdrawalIdOf(billId: string): string {
  return derivedId('wdr', [billId], sha256);
}

async function currentBill(billId: string, { store }: ExecuteDeps): Promise<KeptBill> {
  const [bill] = await store.reload([billId]);
  invariant(bill !== undefined, `bill ${billId} was there`);
  return bill;
}

/** What is final stands, unless somebody has voided it at Stripe: then nobody pays it, and its usage is unbilled. */
async function requireVoided({ billId, invoiceId }: KeptBill, { readInvoice }: ExecuteDeps): Promise<void> {
  const invoice = invoiceId === null ? null : await readInvoice(invoiceId);
  if (invoice === null || invoice.status === 'void') return;
  throw new RefusedError(
    'conflict',
    `${billId} is final; what it charged too much is credited by the next run. To take it back whole, void ${invoice.invoiceId} at Stripe first`,
  );
}

/** A credit note that was issued stands, unless somebody has voided it at Stripe, or its invoice. */
async function requireNoNote(
  { billId, invoiceId }: KeptBill,
  { intents, side, readCreditNote, readInvoice }: ExecuteDeps,
): Promise<void> {
  const [note] = await intents.ofGroup(billId);
  invariant(note !== undefined, `credit note ${billId} has a write`);
  for (const { objectId } of await notesMade(note, { side })) {
    const issued = await readCreditNote(objectId);
    if (issued === null || issued.isVoid) continue;
    const invoice = invoiceId === null ? null : await readInvoice(invoiceId);
    if (invoice === null || invoice.status === 'void') continue;
    throw new RefusedError(
      'conflict',
      `${billId} was issued as ${objectId}; to take it back, void that at Stripe first`,
    );
  }
}

/** What the bill has made at Stripe, also where nobody heard of it. */
async function draftsOf(
  { billId, customerId }: KeptBill,
  { intents, side }: ExecuteDeps,
): Promise<OwnDraft[]> {
  const writes = await intents.ofGroup(billId);
  const [first] = writes;
  invariant(first !== undefined, `bill ${billId} has no writes`);
  if (first.attempt === 0) return [];
  const request = sendable(first.request, null);
  const made =
    first.object === null
      ? await side.find({ intentId: first.intentId, kind: 'invoice', request })
      : [first.object];
  const intentIds = new Set(writes.map(({ intentId }) => intentId));
  return made.map(({ objectId }) => ({ invoiceId: objectId, customerId, intentIds }));
}
