import { HeadgateError, invariant } from '../../core/errors.js';
import type { Instant } from '../../core/time.js';
import type { AuditLog } from '../../platform/audit-log.js';
import { knownError } from '../../platform/known-error.js';
import { carryOut, type CarriedOut } from '../../platform/outbound/carry-out.js';
import type { IntentStore, KeptIntent } from '../../platform/outbound/intent-store.js';
import type { OtherSide } from '../../platform/outbound/other-side.js';
import type { ReadCreditNote } from '../../platform/outbound/stripe/read-credit-note.js';
import type { ReadInvoice } from '../../platform/outbound/stripe/read-invoice.js';
import { Lease } from '../../platform/sql/lease.js';
import { transaction, type Sql } from '../../platform/sql/sql.js';
import type { BillStore, KeptBill, KeptBillLine } from './bill-store.js';
import { notesMade, objectionToCreditNote } from './check-credit-note.js';
import { usageBreaks, type RateAgain } from './rate-again.js';
import { reconcileInvoice, type Break, type ExpectedItem } from './reconcile.js';

export interface ExecuteDeps {
  readonly sql: Sql;
  readonly audit: AuditLog;
  readonly store: BillStore;
  readonly intents: IntentStore;
  readonly side: OtherSide;
  readonly readInvoice: (invoiceId: string) => Promise<ReadInvoice | null>;
  readonly readCreditNote: (creditNoteId: string) => Promise<ReadCreditNote | null>;
  readonly clock: () => Instant;
  readonly wait: (ms: number) => Promise<void>;
  /** For people who ask who is at it. */
  readonly holder: string;
  /** Longer than any request may take, retries of its answer included. */
  readonly leaseMs: number;
  /** Customers at once. */
  readonly concurrency: number;
  readonly onProgress: (message: string) => void;
  /** Told what nobody foresaw, for the log. */
  readonly onUnexpected: (error: unknown) => void;
  readonly signal: AbortSignal;
}

/**
 * What became of a bill. `blocked`: what stands at Stripe is not what was rated, and nobody was charged; `refused`: Stripe said no;
 * `unfinished`: it goes on with the next run; `elsewhere`: another process has it in its hands.
 */
export interface BillOutcome {
  readonly billId: string;
  readonly orgId: string;
  readonly outcome: 'finalized' | 'blocked' | 'refused' | 'unfinished' | 'elsewhere';
  readonly message: string | null;
}

type RunDeps = ExecuteDeps & { readonly rateAgain: RateAgain };

/** Times of a lease that its end is waited for: a look comes three times in each. */
const PATIENCE = 1.5;

/**
 * Brings bills to their end, several customers at once. What stops one stops no other; a key that Stripe does not accept stops all.
 *
 * @param rateAgain asked before anything is made final: it must be what was entered
 * @throws RefusedError `stripe_key_refused`; then everything stays where it is
 */
export async function executeBills(
  bills: readonly KeptBill[],
  given: ExecuteDeps,
  rateAgain: RateAgain,
): Promise<BillOutcome[]> {
  const deps = { ...given, rateAgain };
  const outcomes: BillOutcome[] = [];
  const left = [...byCustomer(bills).values()];
  let fatal: unknown = null;
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      if (fatal !== null || deps.signal.aborted) return;
      try {
        outcomes.push(...(await executeCustomer(next, deps)));
        deps.onProgress(`${outcomes.length} of ${bills.length} bills`);
      } catch (error) {
        fatal ??= error;
      }
    }
  };
  await Promise.all(Array.from({ length: deps.concurrency }, work));
  if (fatal !== null) throw fatal as Error;
  return outcomes;
}

function byCustomer(bills: readonly KeptBill[]): Map<string, KeptBill[]> {
  const groups = new Map<string, KeptBill[]>();
  for (const bill of bills) groups.set(bill.customerId, [...(groups.get(bill.customerId) ?? []), bill]);
  return groups;
}

async function executeCustomer(bills: readonly KeptBill[], deps: RunDeps): Promise<BillOutcome[]> {
  const [first] = bills;
  invariant(first !== undefined, 'a customer in a group has a bill');
  const lease = await leaseOfCustomer(first, deps);
  if (lease === null) {
    const holder = (await Lease.holderOf(deps.sql, leaseName(first)))?.holder ?? 'another process';
    return bills.map((bill) => outcomeOf(bill, 'elsewhere', `${holder} has it in its hands`));
  }
  try {
    const outcomes: BillOutcome[] = [];
    // Since they were listed, another run may have finished them, or somebody may have withdrawn them.
    for (const bill of await deps.store.reload(bills.map(({ billId }) => billId))) {
      if (bill.state === 'withdrawn') continue;
      if (bill.state === 'finalized') outcomes.push(outcomeOf(bill, 'finalized', null));
      else
        outcomes.push(
          await executeBill(bill, lease, deps).catch((error: unknown) => unfinished(bill, error, deps)),
        );
    }
    return outcomes;
  } finally {
    await lease.release();
  }
}

/** The right to do anything about a customer; null while another process has it. */
export function leaseOfCustomer(bill: KeptBill, deps: ExecuteDeps): Promise<Lease | null> {
  return patientLease(leaseName(bill), deps);
}

function leaseName({ account, mode, customerId }: KeptBill): string {
  return `stripe customer ${account} ${mode} ${customerId}`;
}

/** Waits for as long as a process that died may seem to hold it; who holds it longer is alive and at work. */
export function patientLease(
  name: string,
  { sql, holder, leaseMs, signal }: Pick<ExecuteDeps, 'sql' | 'holder' | 'leaseMs' | 'signal'>,
): Promise<Lease | null> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE * leaseMs)]);
  return Lease.wait(sql, { name, holder, ttlMs: leaseMs }, patience);
}

/** Whatever goes wrong with one bill is its own, but for a key that Stripe does not accept. */
function unfinished(bill: KeptBill, error: unknown, { onUnexpected }: ExecuteDeps): BillOutcome {
  const known = knownError(error);
  if (known instanceof HeadgateError && known.code === 'stripe_key_refused') throw known;
  if (known instanceof HeadgateError && known.code !== 'invariant_broken') {
    return outcomeOf(bill, 'unfinished', known.message);
  }
  onUnexpected(error);
  return outcomeOf(bill, 'unfinished', 'something unexpected went wrong; the log says what');
}

function outcomeOf(
  { billId, orgId }: KeptBill,
  outcome: BillOutcome['outcome'],
  message: string | null,
): BillOutcome {
  return { billId, orgId, outcome, message };
}

async function executeBill(bill: KeptBill, lease: Lease, deps: RunDeps): Promise<BillOutcome> {
  const { sql, store, intents, side, clock, wait } = deps;
  const lines = await store.linesOf(bill.billId);
  const result = await carryOut(bill.billId, {
    ...{ store: intents, side, clock, wait },
    assertHeld: () => lease.assertHeld(sql.database),
    objection: async (intent, done) => {
      const { kind } = intent.purpose;
      if (kind === 'finalize') return objectionTo(bill, lines, done, deps);
      if (kind !== 'credit_note' || (await notesMade(intent, deps)).length > 0) return null;
      const breaks = await usageBreaks(bill, lines, deps, deps.rateAgain);
      return breaks.length > 0 ? problemOf(breaks) : objectionToCreditNote(bill, intent, deps);
    },
  });
  return settle(bill, result, deps);
}

/** Why the draft may not be made final; null when all that was rated stands on it, and nothing else. */
async function objectionTo(
  bill: KeptBill,
  lines: readonly KeptBillLine[],
  done: readonly KeptIntent[],
  deps: RunDeps,
): Promise<KeptIntent['problem']> {
  const invoiceId = done.find(({ purpose }) => purpose.kind === 'invoice')?.object?.objectId;
  invariant(invoiceId !== undefined, `bill ${bill.billId} has no invoice to make final`);
  const expected = expectedItems(bill, lines, done);
  const ratedMinor = expected.reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
  invariant(
    ratedMinor === bill.totalMinor,
    `bill ${bill.billId} is of ${bill.totalMinor} and its lines of ${ratedMinor}`,
  );
  const invoice = await deps.readInvoice(invoiceId);
  if (invoice === null) return problemOf([goneInvoice(bill, invoiceId)]);
  // What is final already, by an answer that was lost, is too late to be rated again.
  const usage = invoice.status === 'draft' ? await usageBreaks(bill, lines, deps, deps.rateAgain) : [];
  return problemOf([...usage, ...reconcileInvoice(invoice, expected, bill.customerId)]);
}

function problemOf(breaks: readonly Break[]): KeptIntent['problem'] {
  const [first] = breaks;
  if (first === undefined) return null;
  return { code: first.cause, message: breaks.map(({ message }) => message).join('; ') };
}

/** The break of an invoice that Stripe has no more. */
export function goneInvoice({ billId }: KeptBill, invoiceId: string): Break {
  return {
    cause: 'missing',
    message: `${invoiceId} was deleted at Stripe; headgate billing withdraw ${billId} lets the next run bill it anew`,
  };
}

/** The items of a bill, each with what its intent made. */
export function expectedItems(
  bill: KeptBill,
  lines: readonly KeptBillLine[],
  done: readonly KeptIntent[],
): ExpectedItem[] {
  const amounts = new Map<string | null, bigint>(
    lines.map(({ intentId, chargedMinor }) => [intentId, chargedMinor]),
  );
  if (bill.carriedIntentId !== null) amounts.set(bill.carriedIntentId, bill.carriedItemMinor);
  const items = done.filter(({ purpose }) => purpose.kind === 'invoice_item');
  return items.map(({ intentId, purpose, object }) => {
    const amountMinor = amounts.get(intentId);
    invariant(
      amountMinor !== undefined && object !== null,
      `intent ${intentId} is of no line of bill ${bill.billId}`,
    );
    return {
      intentId,
      itemId: object.objectId,
      amountMinor,
      currency: bill.currency,
      period: purpose.period,
    };
  });
}

/** What became of a bill and the record of it, in one transaction. */
async function settle(
  bill: KeptBill,
  { intents, stoppedBy }: CarriedOut,
  { sql, store, audit, clock }: ExecuteDeps,
): Promise<BillOutcome> {
  const madeId = intents[0]?.object?.objectId ?? null;
  const isCreditNote = bill.creditsBillId !== null;
  const invoiceId = isCreditNote ? bill.invoiceId : madeId;
  const creditNoteId = isCreditNote ? madeId : null;
  const state = stateOf(stoppedBy);
  const problem = stoppedBy?.problem ?? null;
  const now = clock();
  await transaction(sql, async (database) => {
    const isMoved = await store.settle(database, bill.billId, {
      ...{ state, invoiceId, creditNoteId },
      problemCode: problem?.code ?? null,
      problemMessage: problem?.message ?? null,
      finalizedAt: state === 'finalized' ? now : null,
    });
    const isNews = state !== bill.state || problem?.message !== (bill.problemMessage ?? undefined);
    if (!isMoved || !isNews) return;
    const { billId, orgId, currency, totalMinor } = bill;
    const details = {
      orgId,
      currency,
      invoiceId,
      creditNoteId,
      totalMinor: totalMinor.toString(),
      problem: problem?.code ?? null,
    };
    await audit.appendIn(
      database,
      { actor: bill.createdBy, action: `bill.${state}`, target: billId, details },
      now,
    );
  });
  return outcomeOf(bill, state, problem?.message ?? null);
}

function stateOf(stoppedBy: KeptIntent | null): 'finalized' | 'blocked' | 'refused' {
  if (stoppedBy === null) return 'finalized';
  return stoppedBy.state === 'refused' ? 'refused' : 'blocked';
}
