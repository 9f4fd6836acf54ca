import { dateIn, startOfDay } from '../core/calendar.js';
import {
  addMonths,
  formatDate,
  parseDate,
  period,
  startOfMonth,
  type Instant,
  type Period,
} from '../core/time.js';

/** The month of the catalog's zone in which subscription periods must end; without one, the last that was over at `asOf`. */
export function billingMonth(
  month: string | undefined,
  asOf: Instant,
  zone: string,
): { first: string; ending: Period } {
  // At the very instant at which a month begins, the one before is over.
  const first =
    month === undefined ? addMonths(startOfMonth(dateIn(asOf, zone)), -1) : startOfMonth(parseDate(month));
  const ending = period(startOfDay(first, zone), startOfDay(addMonths(first, 1), zone));
  return { first: formatDate(first), ending };
}
