import { z } from 'zod';
import { eventTypes } from '../../core/events.js';
import { invariant } from '../../core/errors.js';
import { parseJsonExact } from '../../core/json.js';
import { parseInstant } from '../../core/time.js';
import type { RunReader } from '../../platform/warehouse/warehouse.js';
import { SETTLEMENT_TYPES, type Settlement } from './journal.js';

const paidOff = eventTypes['invoice.paid'].data;

/** What each type says of an invoice: its key and its amount. */
const TOLD = {
  'invoice.paid': paidOff.transform((data) => ({ ...moneyOf(data), key: data.paymentId ?? '' })),
  'invoice.voided': paidOff.transform((data) => ({ ...moneyOf(data), key: '' })),
  'invoice.uncollectible': paidOff.transform((data) => ({ ...moneyOf(data), key: '' })),
  'invoice.refunded': eventTypes['invoice.refunded'].data.transform((data) => ({
    ...moneyOf(data),
    key: data.refundId,
  })),
  'credit_note.issued': eventTypes['credit_note.issued'].data.transform((data) => ({
    invoiceId: data.invoiceId,
    currency: data.currency,
    amountMinor: data.lines.reduce(
      (sum, { amountMinor, taxMinor }) => sum + BigInt(amountMinor) + BigInt(taxMinor ?? 0),
      0n,
    ),
    key: data.creditNoteId,
    isWon: false,
  })),
  'dispute.opened': eventTypes['dispute.opened'].data.transform((data) => ({
    ...moneyOf(data),
    key: data.disputeId,
  })),
  'dispute.closed': eventTypes['dispute.closed'].data.transform((data) => ({
    ...moneyOf(data),
    key: data.disputeId,
    isWon: data.outcome === 'won',
  })),
} as const satisfies Readonly<Record<Settlement['type'], z.ZodType>>;

function moneyOf({
  invoiceId,
  amountMinor,
  currency,
}: {
  invoiceId: string;
  amountMinor?: number | string | bigint | null | undefined;
  currency?: string | null | undefined;
}) {
  return {
    invoiceId,
    amountMinor: amountMinor == null ? null : BigInt(amountMinor),
    currency: currency ?? null,
    isWon: false,
  };
}

const Row = z.object({
  type: z.enum(SETTLEMENT_TYPES),
  event_id: z.string(),
  at: z.string(),
  data: z.string(),
});

/**
 * What became of invoices, as the run has it: once each, corrected, without what was voided.
 *
 * @param currencies of the invoices that are asked about, by id; money in another one is not of the invoice
 */
export async function readSettlements(
  run: Pick<RunReader, 'query' | 'facts'>,
  currencies: ReadonlyMap<string, string>,
): Promise<Map<string, Settlement[]>> {
  const types = SETTLEMENT_TYPES.map((type) => `'${type}'`).join(', ');
  const rows = await run.query(
    `select type, event_id, "at", data from ${run.facts('billing')} where type in (${types})`,
    {},
    Row,
  );
  const byInvoice = new Map<string, Settlement[]>();
  for (const { type, event_id: eventId, at, data } of rows) {
    const json = parseJsonExact(data);
    invariant(json.ok, `billing event ${eventId} must be JSON; ingest saw to it`);
    const { invoiceId, currency, key, amountMinor, isWon } = TOLD[type].parse(json.value);
    const of = currencies.get(invoiceId);
    if (of === undefined || (currency !== null && currency !== of)) continue;
    const settlement = { type, key, at: parseInstant(at), amountMinor, isWon };
    byInvoice.set(invoiceId, [...(byInvoice.get(invoiceId) ?? []), settlement]);
  }
  return byInvoice;
}
