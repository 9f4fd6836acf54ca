import { z } from 'zod';
import { showMoney, showQuantity } from '../numbers.js';
import { table } from '../output.js';

/** A line of a preview, and of usage: one meter in one subscription period. */
export const OverageLine = z.looseObject({
  line_id: z.string(),
  kind: z.string(),
  description: z.string().nullable(),
  org_id: z.string(),
  subscription_id: z.string(),
  meter: z.string(),
  period_start: z.string(),
  period_end: z.string(),
  used: z.string(),
  included: z.string().nullable(),
  overage: z.string(),
  events: z.number(),
  status: z.string(),
  reason: z.string().nullable(),
  amount_minor: z.string().nullable(),
  currency: z.string().nullable(),
  is_assumed: z.boolean(),
  is_included_assumed: z.boolean(),
});
export type OverageLine = z.infer<typeof OverageLine>;

export function overageTable(lines: readonly OverageLine[]): string {
  return table(
    ['line', 'org', 'meter', 'period', 'used', 'included', 'over', 'amount', 'status', ''],
    lines.map((line) => [
      line.line_id,
      line.org_id,
      whatOf(line),
      `${line.period_start.slice(0, 10)} to ${line.period_end.slice(0, 10)}`,
      ...quantitiesOf(line),
      amountOf(line),
      line.status,
      notesOf(line),
    ]),
    ['left', 'left', 'left', 'left', 'right', 'right', 'right', 'right', 'left', 'left'],
  );
}

/** The meter; of what is not usage, what it is. */
export function whatOf({ kind, meter }: OverageLine): string {
  const name = kind.replaceAll('_', ' ');
  return kind === 'usage' ? meter : meter === '' ? name : `${meter}: ${name}`;
}

function quantitiesOf({ kind, used, included, overage }: OverageLine): string[] {
  if (kind !== 'usage') return ['', '', ''];
  return [showQuantity(used), included === null ? 'no limit' : showQuantity(included), showQuantity(overage)];
}

function notesOf(line: OverageLine): string {
  const { description, reason, is_assumed: price, is_included_assumed: included } = line;
  return [description, reason, included ? 'assumed allowance' : null, price ? 'assumed price' : null]
    .filter((note) => note !== null)
    .join('; ');
}

export function amountOf({ amount_minor: amount, currency }: OverageLine): string {
  return amount === null || currency === null ? '–' : showMoney(BigInt(amount), currency);
}
