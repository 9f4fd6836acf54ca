import { addDecimals, negateDecimal, ZERO, type Decimal } from '../../core/decimal.js';
import { formatMoney } from '../../core/money.js';
import { periodKey } from '../adjustments/adjust-plan.js';
import { isGuess, type OverageLine } from '../overage-plan.js';
import type { BillBooks, HeldBack, LedgerLine } from './bill-books.js';

/** What has to be entered for a rated line: what it is worth more, or less, than was entered of it. */
export interface LineChange {
  readonly rated: OverageLine;
  /** 1, then one more for each correction. */
  readonly sequence: number;
  readonly currency: string;
  readonly amountMinor: bigint;
  /** What it uses up more of a prepaid quantity; below 0 it is given back. */
  readonly creditQuantity: Decimal;
}

export interface LineChanges {
  readonly changes: readonly LineChange[];
  readonly heldBack: readonly HeldBack[];
}

/** What differs between what was rated and what was entered. Pure. */
export function lineChanges(
  books: Pick<BillBooks, 'lines' | 'ledger' | 'lateUsage' | 'account'>,
): LineChanges {
  const { lines, account } = books;
  const found = lines.map((line) => ({ line, change: changeOf(line, books) }));
  const frozen = frozenPeriods(found);
  const changes: LineChange[] = [];
  const heldBack: HeldBack[] = [];
  for (const { line, change } of found) {
    const cause = frozen.get(periodKey(line));
    if (cause !== undefined && !('cause' in change)) {
      if (change.length > 0) heldBack.push(frozenLine(line, cause));
      continue;
    }
    const assumption = account.mode === 'live' ? assumptionOf(line, change) : null;
    if (assumption !== null) heldBack.push(assumption);
    else if ('cause' in change) heldBack.push(change);
    else changes.push(...change);
  }
  return { changes, heldBack };
}

interface FoundChange {
  readonly line: OverageLine;
  readonly change: readonly LineChange[] | HeldBack;
}

/**
 * Periods of which some usage keeps its charge, and of which something is no usage: caps, credits and discounts are of the whole period,
 * so all of it stays as it was billed, or a part would be charged without them. Each with the cause.
 */
function frozenPeriods(found: readonly FoundChange[]): ReadonlyMap<string, HeldBack['cause']> {
  const adjusted = new Set(found.flatMap(({ line }) => (line.adjustment === null ? [] : [periodKey(line)])));
  return new Map(
    found.flatMap(({ line, change }) =>
      'cause' in change && adjusted.has(periodKey(line)) ? [[periodKey(line), change.cause] as const] : [],
    ),
  );
}

function frozenLine({ lineId, orgId, meterId, adjustment }: OverageLine, cause: HeldBack['cause']): HeldBack {
  return {
    ...{ orgId, money: null, cause },
    message: `${lineId} (${adjustment?.words ?? meterId}) stays as it was billed: other usage of its period does, and credits, caps and discounts are of the whole period`,
  };
}

/** Nobody is charged by a guess: what the catalog assumes is billed in test mode alone. */
function assumptionOf(line: OverageLine, change: readonly LineChange[] | HeldBack): HeldBack | null {
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

/** Nothing when the ledger says what the line is worth. */
function changeOf(
  rated: OverageLine,
  { ledger, lateUsage }: Pick<BillBooks, 'ledger' | 'lateUsage'>,
): LineChange[] | HeldBack {
  const entered = ledger.get(rated.lineId) ?? [];
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
  const changes = differences(rated, entered);
  const [first] = changes;
  const isReported = rated.adjustment === null && lateUsage(rated.meterId) === 'report';
  return isEntered && isReported && first !== undefined ? reported(rated, first) : changes;
}

function reported({ orgId, lineId, meterId }: OverageLine, change: LineChange): HeldBack {
  const { amountMinor, currency } = change;
  const money = { amountMinor, currency };
  return {
    ...{ orgId, money, cause: 'late_usage' },
    message: `${lineId} would come to ${formatMoney(money)} more by what became known since it was billed; ${meterId} only reports late usage, so bill or credit it by hand`,
  };
}

type Worth = Pick<LineChange, 'amountMinor' | 'creditQuantity'>;
const NOTHING: Worth = { amountMinor: 0n, creditQuantity: ZERO };

function differences(rated: OverageLine, entered: readonly LedgerLine[]): LineChange[] {
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
