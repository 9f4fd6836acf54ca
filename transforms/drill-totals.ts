import { addDecimals, formatDecimal, normalize, parseDecimal, ZERO, type Decimal } from '../core/decimal.js';
import type { DrillRow } from './drill.js';

/** Re-adds what a drill gives, side by side and exactly, while the rows stream past. */
export function addUpSides() {
  const sums = new Map<string, { sum: Decimal; rows: number }>();
  let count = 0;
  return {
    add(row: DrillRow): void {
      const side = sums.get(row.side) ?? { sum: ZERO, rows: 0 };
      sums.set(row.side, { sum: addDecimals(side.sum, parseDecimal(row.amount)), rows: side.rows + 1 });
      count += 1;
    },
    rowCount: (): number => count,
    sides: (): Record<string, { sum: string; rows: number }> =>
      Object.fromEntries(
        [...sums].map(([side, { sum, rows }]) => [side, { sum: formatDecimal(normalize(sum)), rows }]),
      ),
  };
}

/** The first `limit` rows; every row is seen by `each`, however many there are. */
export async function takeRows(
  batches: AsyncIterable<DrillRow[]>,
  limit: number,
  each: (row: DrillRow) => void,
): Promise<DrillRow[]> {
  const taken: DrillRow[] = [];
  for await (const batch of batches) {
    for (const row of batch) {
      each(row);
      if (taken.length < limit) taken.push(row);
    }
  }
  return taken;
}
