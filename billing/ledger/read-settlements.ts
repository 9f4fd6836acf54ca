import { z } from 'zod';
import { eventTypes } from '../../core/events.js';
import { invariant } from '../../core/errors.js';
import { parseJsonExact } from '../../core/json.js';
import { parseInstant } from '../../core/time.js';
import { renderMacro } from '../../platform/warehouse/render-macros.js';
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

/** Invoices that one statement asks about: their ids are bound one by one. */
const INVOICES_AT_ONCE = 500;

/**
 * What became of invoices, as the run has it: once each, corrected, without what was voided.
 *
 * @param currencies of the invoices that are asked about, by id; money in another one is not of the invoice
 */
export async function readSettlements(
  run: SettledRun,
  currencies: ReadonlyMap<string, string>,
): Promise<Map<string, Settlement[]>> {
  const byInvoice = new Map<string, Settlement[]>();
  const invoiceIds = [...currencies.keys()];
  for (let start = 0; start < invoiceIds.length; start += INVOICES_AT_ONCE) {
    for (const row of await rowsOf(run, invoiceIds.slice(start, start + INVOICES_AT_ONCE))) {
      const { invoiceId, currency, ...settlement } = settlementOf(row);
      const of = currencies.get(invoiceId);
      if (of === undefined || (currency !== null && currency !== of)) continue;
      byInvoice.set(invoiceId, [...(byInvoice.get(invoiceId) ?? []), settlement]);
    }
  }
  return byInvoice;
}

type SettledRun = Pick<RunReader, 'query' | 'facts' | 'dialect'>;

function rowsOf(run: SettledRun, invoiceIds: readonly string[]): Promise<z.infer<typeof Row>[]> {
  const types = SETTLEMENT_TYPES.map((type) => `'${type}'`).join(', ');
  const asked = invoiceIds.map((invoiceId, index) => [`invoice_${index}_`, invoiceId] as const);
  const invoiceId = renderMacro("json_text('data', 'invoiceId')", run.dialect, {});
  return run.query(
    `select type, event_id, "at", data from ${run.facts('billing')}
     where type in (${types}) and ${invoiceId} in (${asked.map(([name]) => `$${name}`).join(', ')})`,
    Object.fromEntries(asked),
    Row,
  );
}

function settlementOf({ type, event_id: eventId, at, data }: z.infer<typeof Row>) {
  const json = parseJsonExact(data);
  invariant(json.ok, `billing event ${eventId} must be JSON; ingest saw to it`);
  return { ...TOLD[type].parse(json.value), type, at: parseInstant(at) };
}
