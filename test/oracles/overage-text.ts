import type { OverageLine } from '../../billing/overage-plan.js';
import { formatInstant } from '../../core/time.js';
import type { ExpectedLine } from './overage-oracle.js';

/* A line of a plan and one that was expected, as texts that are equal when they say the same. */

function decimalText({ num, den }: ExpectedLine['used']): string {
  // Twelve digits are what an allowance is prorated to.
  const scaled = (num * 10n ** 12n * 2n + den) / (den * 2n);
  const digits = scaled.toString().padStart(13, '0');
  return `${digits.slice(0, -12)}.${digits.slice(-12)}`.replace(/\.?0+$/, '');
}

export const textOfExpected = (line: ExpectedLine): string =>
  [
    line.orgId,
    line.subscriptionId,
    line.meterId,
    formatInstant(line.start),
    formatInstant(line.end),
    `used ${decimalText(line.used)}`,
    `over ${decimalText(line.overage)}`,
    `in ${line.events.length} events`,
    line.status,
    line.amountMinor === null ? '' : `${line.amountMinor} ${line.currency}`,
  ].join(' ');

export const textOfActual = (line: OverageLine): string =>
  [
    line.orgId,
    line.subscriptionId,
    line.meterId,
    formatInstant(line.period.start),
    formatInstant(line.period.end),
    `used ${line.used}`,
    `over ${line.overage}`,
    `in ${line.events} events`,
    line.status,
    line.amount === null ? '' : `${line.amount.amountMinor} ${line.amount.currency}`,
  ].join(' ');
