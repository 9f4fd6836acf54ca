import { invariant, RefusedError } from '../../core/errors.js';
import { derivedId } from '../../core/ids.js';
import { sendable } from '../../platform/outbound/intent.js';
import { transaction } from '../../platform/sql/sql.js';
import type { KeptBill } from './bill-store.js';
import { leaseOfCustomer, type ExecuteDeps } from './execute-bills.js';
import { sha256 } from '../../platform/sha256.js';

export interface WithdrawDeps extends ExecuteDeps {
  /** Deletes a draft; refuses where it is none any more. */
  readonly removeDraft: (invoiceId: string) => Promise<void>;
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
    if (bill.state === 'finalized') await requireVoided(bill, deps);
    else for (const invoiceId of await invoicesOf(bill, deps)) await deps.removeDraft(invoiceId);
    const withdrawalId = withdrawalIdOf(billId);
    const now = deps.clock();
    await transaction(deps.sql, async (database) => {
      await lease.assertHeld(database);
      if (!(await deps.store.withdraw(database, bill, withdrawalId, now))) return;
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

/** What the bill has made at Stripe, also where nobody heard of it. */
async function invoicesOf({ billId }: KeptBill, { intents, side }: ExecuteDeps): Promise<string[]> {
  const [first] = await intents.ofGroup(billId);
  invariant(first !== undefined, `bill ${billId} has no writes`);
  if (first.object !== null) return [first.object.objectId];
  if (first.attempt === 0) return [];
  const request = sendable(first.request, null);
  const found = await side.find({ intentId: first.intentId, kind: 'invoice', request });
  return found.map(({ objectId }) => objectId);
}
