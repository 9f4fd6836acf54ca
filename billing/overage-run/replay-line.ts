import { addDecimals, compareDecimals, parseDecimal, ZERO } from '../../core/decimal.js';
import type { OverageLine } from '../overage-plan.js';
import { isWithdrawal, type KeptBillLine } from './bill-store.js';

/** One entry of the ledger beside what its run rates now. */
export interface Replayed {
  readonly entry: KeptBillLine;
  /** What all entries of the line up to this one come to. */
  readonly enteredMinor: bigint;
  /** Null where the run can't be read any more, or does not rate the line. */
  readonly rated: OverageLine | null;
  readonly isSame: boolean;
}

/**
 * Rates a billed line anew, each entry from the very run that it was billed from: the same events by count and digest, and the same
 * cents, or the ledger says something that nobody can prove.
 *
 * @param entries of one line, oldest first
 * @param rate what the run of an entry rates for the line, from what credits had left then
 */
export async function replayEntries(
  entries: readonly KeptBillLine[],
  rate: (entry: KeptBillLine) => Promise<OverageLine | null>,
): Promise<Replayed[]> {
  const replayed: Replayed[] = [];
  const enteredMinor = new Map<string, bigint>();
  let creditQuantity = ZERO;
  for (const entry of entries) {
    const sum = (enteredMinor.get(entry.currency) ?? 0n) + entry.amountMinor;
    enteredMinor.set(entry.currency, sum);
    const rated = await rate(entry);
    creditQuantity = addDecimals(creditQuantity, parseDecimal(entry.creditQuantity ?? '0'));
    // What a withdrawal gives back was not rated anew.
    const isSameQuantity = compareDecimals(rated?.adjustment?.quantity ?? ZERO, creditQuantity) === 0;
    replayed.push({
      ...{ entry, enteredMinor: sum, rated },
      isSame: isWithdrawal(entry) || (isSameQuantity && isRatedTheSame(entry, sum, rated)),
    });
  }
  return replayed;
}

/** @param enteredMinor what all entries of the line up to this one come to, in its currency */
export function isRatedTheSame(
  entry: KeptBillLine,
  enteredMinor: bigint,
  rated: OverageLine | null,
): boolean {
  // What is rated no more is worth nothing.
  if (rated === null) return enteredMinor === 0n;
  // An entry that gives back what was billed in another currency comes to nothing in its own.
  const worthMinor = rated.amount?.currency === entry.currency ? rated.amount.amountMinor : 0n;
  return (
    worthMinor === enteredMinor &&
    rated.events === entry.events &&
    rated.eventDigest === entry.eventDigest &&
    rated.used === entry.used &&
    rated.overage === entry.overage
  );
}
