/** Rows in one statement, and ids in one list: what parameters allow. */
const ROWS_AT_ONCE = 500;

/** In parts that one statement takes. */
export function chunks<One>(all: readonly One[], size = ROWS_AT_ONCE): One[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
}
