import { compareText } from '../../core/compare.js';
import { addDecimals, negateDecimal, ZERO, type Decimal } from '../../core/decimal.js';
import { derivedId } from '../../core/ids.js';
import type { HashHex } from '../../core/identity.js';
import type { Money } from '../../core/money.js';
import type { Period } from '../../core/time.js';
import type { OutsideAccount } from '../../platform/outbound/intent.js';
import { periodKey } from '../adjustments/adjust-plan.js';
import { isGuess, type OverageLine } from '../overage-plan.js';
import { approvalReason, NOTHING_BILLED, type ApprovalRules, type BilledSoFar } from './approval.js';
import { chargeable, isChargeable } from '../../platform/outbound/stripe/stripe-amounts.js';

/** Who pays for an org at Stripe. */
export interface Payer {
  readonly customerId: string;
  /** The one currency that Stripe bills it in, once it has one. */
  readonly currency: string | null;
  readonly collection:
    | { readonly method: 'charge_automatically' }
    | { readonly method: 'send_invoice'; readonly daysUntilDue: number };
}

/** What the ledger has of a rated line in one currency: all that was entered of it so far, corrections included. */
export interface LedgerLine extends Money {
  readonly lineId: string;
  /** Of the last entry. */
  readonly sequence: number;
  /** What all entries used up of a prepaid quantity. */
  readonly creditQuantity: Decimal;
}

/** What a plan of bills is made from. */
export interface BillBooks {
  readonly account: OutsideAccount;
  /** First day of the month in which the billed periods ended. */
  readonly month: string;
  readonly ending: Period;
  /** Everything that was rated for these periods, also what is within its allowance. */
  readonly lines: readonly OverageLine[];
  /** By line; more than one where the currency of its subscription changed after it was billed. */
  readonly ledger: ReadonlyMap<string, readonly LedgerLine[]>;
  /** Under `orgCurrency`: what earlier months left to be billed, or credited where it is negative. */
  readonly carriedMinor: ReadonlyMap<string, bigint>;
  /** Under `orgCurrency`: bills of this month so far. */
  readonly billCounts: ReadonlyMap<string, number>;
  /** Under `orgCurrency`: what bills of this month and the month before come to. */
  readonly billedMinor: ReadonlyMap<string, BilledSoFar>;
  readonly approval: ApprovalRules;
  readonly payers: ReadonlyMap<string, Payer>;
  readonly sha256: HashHex;
}

/** One entry of the ledger: what a rated line is worth more, or less, than was billed of it. */
export interface BillLine {
  readonly rated: OverageLine;
  /** 1, then one more for each correction. */
  readonly sequence: number;
  readonly amountMinor: bigint;
  /** The part of it that stands on the bill; what can't be charged is carried. */
  readonly chargedMinor: bigint;
  /** What it uses up more of a prepaid quantity; below 0 it is given back. */
  readonly creditQuantity: Decimal;
}

/** One invoice. */
export interface Bill {
  readonly billId: string;
  readonly orgId: string;
  readonly currency: string;
  /** Of its org, currency and month. */
  readonly sequence: number;
  readonly payer: Payer;
  readonly lines: readonly BillLine[];
  /** What earlier months, and the parts of its lines that could not be charged, come to on it: one item of its own; 0 is none. */
  readonly carriedItemMinor: bigint;
  readonly totalMinor: bigint;
  /** Why somebody must approve it first; null: it goes by itself. */
  readonly approvalReason: string | null;
}

/** Lines that are entered without a bill: their money waits for the next one. */
export interface Carried {
  readonly carriedId: string;
  readonly orgId: string;
  readonly currency: string;
  readonly lines: readonly BillLine[];
  readonly reason: 'under_minimum' | 'credit';
}

/** By how much what an org has waiting changes. */
export interface CarryMovement {
  readonly orgId: string;
  readonly currency: string;
  readonly amountMinor: bigint;
  /** The bill or the carried lines that it comes with. */
  readonly causeId: string;
}

/** Money that nobody can bill now, and what to do about it. Nothing of it is entered. */
export interface HeldBack {
  readonly orgId: string;
  readonly money: Money | null;
  readonly cause:
    | 'no_customer'
    | 'customer_currency'
    | 'currency_unsupported'
    | 'amount_too_large'
    | 'no_longer_rated'
    | 'assumed';
  readonly message: string;
}

export interface BillPlan {
  readonly bills: readonly Bill[];
  readonly carried: readonly Carried[];
  readonly movements: readonly CarryMovement[];
  readonly heldBack: readonly HeldBack[];
}

/** Stripe takes 250 items on an invoice; one place is the carried amount's. */
const MAX_LINES = 249;

export function orgCurrency(orgId: string, currency: string): string {
  return JSON.stringify([orgId, currency]);
}

/**
 * Which invoices bring what was billed to what was rated. Pure: the same books give the same plan. Per org and currency, what is
 * billed and what waits add up to what was rated: Σ charged + Σ movements = Σ rated − Σ billed before.
 */
export function planBills(books: BillBooks): BillPlan {
  const byPayer = new Map<string, PayerDue>();
  const heldBack: HeldBack[] = [];
  const changes = books.lines.map((line) => ({
    line,
    change: changeOf(line, books.ledger.get(line.lineId) ?? []),
  }));
  const frozen = new Set(changes.flatMap(({ line, change }) => ('cause' in change ? [periodKey(line)] : [])));
  for (const { line, change } of changes) {
    if (line.adjustment !== null && frozen.has(periodKey(line))) {
      if ('cause' in change || change.length > 0) heldBack.push(frozenAdjustment(line));
      continue;
    }
    const assumption = books.account.mode === 'live' ? assumptionOf(line, change) : null;
    if (assumption !== null) heldBack.push(assumption);
    else if ('cause' in change) heldBack.push(change);
    else for (const due of change) enter(byPayer, due);
  }
  const parts = [...byPayer]
    .sort(([a], [b]) => compareText(a, b))
    .map(([key, due]) => planOrg(key, due, books));
  return {
    bills: parts.flatMap(({ bills }) => bills),
    carried: parts.flatMap(({ carried }) => carried),
    movements: parts.flatMap(({ movements }) => movements),
    heldBack: [...heldBack, ...parts.flatMap((part) => part.heldBack)],
  };
}

/** Usage that keeps its charge keeps what was taken off it, too: caps, credits and discounts of a part would take off less. */
function frozenAdjustment({ lineId, orgId, adjustment }: OverageLine): HeldBack {
  return {
    orgId,
    money: null,
    cause: 'no_longer_rated',
    message: `${lineId} (${adjustment?.words ?? ''}) stays as it was billed while usage of its period can't be rated any more`,
  };
}

/** Nobody is charged by a guess: what the catalog assumes is billed in test mode alone. */
function assumptionOf(line: OverageLine, change: readonly Due[] | HeldBack): HeldBack | null {
  if (!isGuess(line) || 'cause' in change || change.length === 0) return null;
  // Less than what is agreed may rest on a guess: a cap that nobody has agreed to yet is kept.
  if (line.adjustment !== null && (line.amount?.amountMinor ?? 0n) <= 0n) return null;
  const { lineId, orgId, meterId, adjustment } = line;
  const term = `the ${line.isAssumed ? 'price' : 'allowance'} of ${meterId}`;
  const what = adjustment === null ? term : `what this says: ${adjustment.words}`;
  return {
    orgId,
    money: line.amount,
    cause: 'assumed',
    message: `${lineId}: the catalog assumes ${what}; publish one without \`assumed\` once it is agreed`,
  };
}

type Due = Omit<BillLine, 'chargedMinor'> & { readonly currency: string };

function enter(byPayer: Map<string, PayerDue>, due: Due): void {
  const { currency, rated } = due;
  const key = orgCurrency(rated.orgId, currency);
  const known = byPayer.get(key) ?? { orgId: rated.orgId, currency, lines: [] };
  known.lines.push(due);
  byPayer.set(key, known);
}

/** What has to be entered for a line: nothing when the ledger says what it is worth. */
function changeOf(rated: OverageLine, entered: readonly LedgerLine[]): Due[] | HeldBack {
  const isEntered = entered.some(({ amountMinor }) => amountMinor !== 0n);
  // A hard stop bills nothing: whatever was billed before its policy was known is given back.
  if (rated.amount === null && rated.status !== 'stopped' && isEntered) {
    return {
      orgId: rated.orgId,
      money: null,
      cause: 'no_longer_rated',
      message: `${rated.lineId} was billed and can't be rated any more: ${rated.reason ?? rated.status}; publish a catalog that rates it, or credit it by hand`,
    };
  }
  const worth = new Map(
    entered.map(({ currency, amountMinor, creditQuantity }): [string, Worth] => [
      currency,
      { amountMinor: -amountMinor, creditQuantity: negateDecimal(creditQuantity) },
    ]),
  );
  if (rated.amount !== null) {
    const { currency, amountMinor } = rated.amount;
    const known = worth.get(currency) ?? NOTHING;
    worth.set(currency, {
      amountMinor: known.amountMinor + amountMinor,
      creditQuantity: addDecimals(known.creditQuantity, rated.adjustment?.quantity ?? ZERO),
    });
  }
  const last = entered.reduce((most, { sequence }) => Math.max(most, sequence), 0);
  return [...worth]
    .filter(([, { amountMinor, creditQuantity }]) => amountMinor !== 0n || creditQuantity.unscaled !== 0n)
    .map(([currency, more], index) => ({ rated, currency, ...more, sequence: last + 1 + index }));
}

type Worth = Pick<BillLine, 'amountMinor' | 'creditQuantity'>;
const NOTHING: Worth = { amountMinor: 0n, creditQuantity: ZERO };

interface PayerDue {
  readonly orgId: string;
  readonly currency: string;
  readonly lines: Due[];
}

function planOrg(key: string, { orgId, currency, lines }: PayerDue, books: BillBooks): BillPlan {
  const waitingMinor = books.carriedMinor.get(key) ?? 0n;
  const totalMinor = lines.reduce((sum, { amountMinor }) => sum + amountMinor, waitingMinor);
  const payer = payerOf(orgId, { amountMinor: totalMinor, currency }, books);
  const plan = {
    bills: new Array<Bill>(),
    carried: new Array<Carried>(),
    movements: new Array<CarryMovement>(),
  };
  if ('cause' in payer) return { ...plan, heldBack: [payer] };
  const first = (books.billCounts.get(key) ?? 0) + 1;
  // What one part leaves, the next one takes up: credits may stand on another part than what they pay.
  let leftMinor = waitingMinor;
  for (let start = 0; start < lines.length; start += MAX_LINES) {
    const part = partOf(lines.slice(start, start + MAX_LINES), currency, leftMinor);
    leftMinor += part.movementMinor;
    const sequence = first + plan.bills.length;
    const causeId = part.isBilled
      ? idOf('bill', [orgId, currency, books.month, String(sequence)], books)
      : idOf(
          'car',
          part.lines.map(({ rated, sequence: entry }) => `${rated.lineId} ${entry}`),
          books,
        );
    if (part.isBilled) {
      const { lines: onIt, carriedItemMinor, totalMinor: billMinor } = part;
      const bill = { billId: causeId, orgId, currency, sequence, payer, lines: onIt, carriedItemMinor };
      plan.bills.push({ ...bill, totalMinor: billMinor, approvalReason: null });
    } else {
      const reason = part.totalMinor < 0n ? 'credit' : 'under_minimum';
      plan.carried.push({ carriedId: causeId, orgId, currency, lines: part.lines, reason });
    }
    const { movementMinor: amountMinor } = part;
    if (amountMinor !== 0n) plan.movements.push({ orgId, currency, amountMinor, causeId });
  }
  // Of all parts together: an amount that needs approval needs it on several invoices too.
  const billedMinor = sumOf(plan.bills, (bill) => bill.totalMinor);
  const billed = books.billedMinor.get(key) ?? NOTHING_BILLED;
  const reason = approvalReason({ amountMinor: billedMinor, currency }, billed, books.approval);
  const bills = plan.bills.map((bill) => ({ ...bill, approvalReason: reason }));
  return { ...plan, bills, heldBack: [] };
}

/** What one invoice can hold of an org's lines, and whether it is one: it must be worth more than the least that can be charged. */
function partOf(due: readonly Due[], currency: string, waitingMinor: bigint) {
  const { unitMinor, leastMinor } = chargeable(currency);
  const whole = (amountMinor: bigint): bigint => amountMinor - (amountMinor % unitMinor);
  const lines = due.map((line) => ({ ...line, chargedMinor: whole(line.amountMinor) }));
  const enteredMinor = sumOf(lines, ({ amountMinor }) => amountMinor);
  const chargedMinor = sumOf(lines, (line) => line.chargedMinor);
  // Parts that can't be charged alone may be together, and with what waits.
  const carriedItemMinor = whole(waitingMinor + enteredMinor - chargedMinor);
  const totalMinor = chargedMinor + carriedItemMinor;
  if (totalMinor > 0n && totalMinor >= leastMinor) {
    return {
      isBilled: true,
      lines,
      carriedItemMinor,
      totalMinor,
      movementMinor: enteredMinor - totalMinor,
    } as const;
  }
  const uncharged = lines.map((line) => ({ ...line, chargedMinor: 0n }));
  return { isBilled: false, lines: uncharged, totalMinor, movementMinor: enteredMinor } as const;
}

function sumOf<One>(all: readonly One[], of: (one: One) => bigint): bigint {
  return all.reduce((sum, one) => sum + of(one), 0n);
}

function idOf(prefix: string, parts: readonly string[], { account, sha256 }: BillBooks): string {
  return derivedId(prefix, [account.account, account.mode, ...parts], sha256);
}

function payerOf(orgId: string, money: Money, { payers }: BillBooks): Payer | HeldBack {
  const held = (cause: HeldBack['cause'], message: string): HeldBack => ({ orgId, money, cause, message });
  const { currency, amountMinor } = money;
  if (!isChargeable(currency)) {
    return held('currency_unsupported', `Stripe does not charge in ${currency}; bill ${orgId} another way`);
  }
  const payer = payers.get(orgId);
  if (payer === undefined) {
    return held(
      'no_customer',
      `${orgId} has no Stripe customer; link one: headgate billing link ${orgId} cus_…`,
    );
  }
  if (payer.currency !== null && payer.currency !== currency) {
    return held(
      'customer_currency',
      `${payer.customerId} of ${orgId} is billed in ${payer.currency} and this is in ${currency}; link a customer of that currency`,
    );
  }
  if (amountMinor > chargeable(currency).mostMinor) {
    return held('amount_too_large', `${orgId} owes more than Stripe takes in one invoice; split it by hand`);
  }
  return payer;
}
