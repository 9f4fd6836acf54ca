/** Rows in one statement, and ids in one list: what parameters allow. */
const ROWS_AT_ONCE = 500;

/** In parts that one statement takes. */
export function chunks<One>(all: readonly One[]): One[][] {
  const parts: One[][] = [];
  for (let start = 0; start < all.length; start += ROWS_AT_ONCE)
    parts.push(all.slice(start, start + ROWS_AT_ONCE));
  return parts;
}
