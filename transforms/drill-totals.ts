import { hash } from 'node:crypto';
import { addDecimals, formatDecimal, normalize, parseDecimal, ZERO, type Decimal } from '../core/decimal.js';
import type { DrillRow } from './drill.js';

/** One side of a drilled number, over every row behind it. */
export interface SideTotals {
  readonly sum: string;
  readonly rows: number;
  /** Of the whole input set, in whatever order it came; 32 hexadecimal digits. */
  readonly digest: string;
}

const DIGEST_BITS = 128;
const DIGEST_DIGITS = DIGEST_BITS / 4;

/** Re-adds what a drill gives, side by side and exactly, while the rows stream past. */
export function addUpSides() {
  const sums = new Map<string, { sum: Decimal; rows: number; digest: bigint }>();
  let count = 0;
  return {
    add(row: DrillRow): void {
      const side = sums.get(row.side) ?? { sum: ZERO, rows: 0, digest: 0n };
      const amount = parseDecimal(row.amount);
      sums.set(row.side, {
        sum: addDecimals(side.sum, amount),
        rows: side.rows + 1,
        digest: BigInt.asUintN(DIGEST_BITS, side.digest + rowDigest(row, amount)),
      });
      count += 1;
    },
    rowCount: (): number => count,
    sides: (): Record<string, SideTotals> =>
      Object.fromEntries(
        [...sums].map(([side, { sum, rows, digest }]) => [
          side,
          {
            sum: formatDecimal(normalize(sum)),
            rows,
            digest: digest.toString(16).padStart(DIGEST_DIGITS, '0'),
          },
        ]),
      ),
  };
}

/**
 * The row's share of its side's digest, which is their sum modulo 2^128: a sum asks for no order, and a row that is there twice
 * counts twice. It tells two input sets apart; it is no seal against somebody who makes rows up.
 */
function rowDigest({ stream, event_source, event_id }: DrillRow, amount: Decimal): bigint {
  const text = JSON.stringify([stream, event_source, event_id, formatDecimal(normalize(amount))]);
  return BigInt(`0x${hash('sha256', text, 'hex').slice(0, DIGEST_DIGITS)}`);
}

/** The first `limit` rows, and what all of them add up to. */
export interface DrilledRows {
  readonly rows: DrillRow[];
  readonly sides: Record<string, SideTotals>;
  readonly rowCount: number;
}

export async function takeAndAddUp(batches: AsyncIterable<DrillRow[]>, limit: number): Promise<DrilledRows> {
  const totals = addUpSides();
  const rows: DrillRow[] = [];
  for await (const batch of batches) {
    for (const row of batch) {
      totals.add(row);
      if (rows.length < limit) rows.push(row);
    }
  }
  return { rows, sides: totals.sides(), rowCount: totals.rowCount() };
}
