import { castText, type TextType } from '../platform/warehouse/cast-text.js';
import type { Dialect, QueryParameter } from '../platform/warehouse/warehouse.js';

/** One column of a list's order. It is never NULL, and the columns of one order are unique together. */
export interface OrderColumn {
  readonly column: string;
  /** As which a place in the list, which is text, is compared. */
  readonly type: TextType;
  readonly direction: 'asc' | 'desc';
}

export interface KeysetSql {
  /** True for rows after the place. */
  readonly condition: string;
  readonly orderBy: string;
  readonly parameters: Readonly<Record<string, QueryParameter>>;
}

/**
 * Paging by key: rows that come or go meanwhile neither shift nor repeat what is listed, and page 1,000 costs what page 1 does.
 * Column names come from our code alone; the place is bound.
 */
export function keysetSql(
  dialect: Dialect,
  order: readonly OrderColumn[],
  place: readonly string[] | null,
): KeysetSql {
  const orderBy = order.map(({ column, direction }) => `${column} ${direction}`).join(', ');
  if (place === null) return { condition: 'true', orderBy, parameters: {} };
  const valueOf = (index: number) => castText(dialect, `$place${index}`, order[index]?.type ?? 'text');
  // (a, b) after (x, y): a after x, or a at x and b after y.
  const alternatives = order.map(({ column, direction }, index) => {
    const before = order.slice(0, index).map((one, at) => `${one.column} = ${valueOf(at)}`);
    return `(${[...before, `${column} ${direction === 'asc' ? '>' : '<'} ${valueOf(index)}`].join(' and ')})`;
  });
  return {
    condition: `(${alternatives.join(' or ')})`,
    orderBy,
    parameters: Object.fromEntries(place.map((value, index) => [`place${index}`, value])),
  };
}
