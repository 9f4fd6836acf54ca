import {
  decimalOf,
  formatDecimal,
  multiplyDecimals,
  subtractDecimals,
  type Decimal,
} from '../../core/decimal.js';
import { dateInUtc, formatDate, type Period } from '../../core/time.js';

/** 2026-09-01 to 2026-10-01 */
export function periodWords({ start, end }: Period): string {
  return `${formatDate(dateInUtc(start))} to ${formatDate(dateInUtc(end))}`;
}

export function quantityWords(quantity: Decimal, meterId: string): string {
  return `${formatDecimal(quantity)} ${meterId}`;
}

/** What is taken off, of the share that is left: 0.8 is 20%. */
export function percentWords(share: Decimal): string {
  const off = subtractDecimals(decimalOf(1n), share);
  return `${formatDecimal(multiplyDecimals(off, decimalOf(100n)))}%`;
}
