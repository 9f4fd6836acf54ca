import { expect, test } from 'vitest';
import type { z } from 'zod';
import { parseInstant } from '../../core/time.js';
import { openTestDuckdb } from '../../test/support/warehouses.js';
import { readSettlements } from './read-settlements.js';

const AT = '2026-05-03T08:00:00Z';
const OURS = new Map([['in_1', 'EUR']]);

/** A run whose billing facts are these. */
function runOf(facts: readonly (readonly [type: string, data: object])[]) {
  const rows = facts.map(([type, data], index) => ({
    ...{ type, event_id: `e_${index}`, at: AT, data: JSON.stringify(data) },
  }));
  return {
    dialect: 'duckdb' as const,
    facts: () => 'billing_facts',
    query: <Row>(_: string, __: unknown, schema: z.ZodType<Row>) =>
      Promise.resolve(rows.map((row) => schema.parse(row))),
  };
}

const euros = (amountMinor: number | string) => ({ invoiceId: 'in_1', amountMinor, currency: 'EUR' });

test('each type of event tells its key and its amount', async () => {
  const lines = [
    { lineId: 'il_1', amountMinor: 1_000, taxMinor: 190 },
    { lineId: 'il_2', amountMinor: 10 },
  ];
  const run = runOf([
    // Beyond what a double holds: 2^53 + 1.
    ['invoice.paid', { ...euros('9007199254740993'), paymentId: 'py_1' }],
    ['invoice.refunded', { ...euros(500), refundId: 're_1' }],
    ['credit_note.issued', { invoiceId: 'in_1', creditNoteId: 'cn_1', currency: 'EUR', lines }],
    ['invoice.voided', { invoiceId: 'in_1' }],
    ['invoice.uncollectible', { invoiceId: 'in_1' }],
    ['dispute.opened', { ...euros(700), disputeId: 'dp_1' }],
    ['dispute.closed', { ...euros(700), disputeId: 'dp_1', outcome: 'won' }],
  ]);
  const told = (type: string, key: string, amountMinor: bigint | null, isWon = false) => ({
    ...{ type, key, at: parseInstant(AT), amountMinor, isWon },
  });
  expect((await readSettlements(run, OURS)).get('in_1')).toEqual([
    told('invoice.paid', 'py_1', 9_007_199_254_740_993n),
    told('invoice.refunded', 're_1', 500n),
    // 1,000 + 190 + 10.
    told('credit_note.issued', 'cn_1', 1_200n),
    told('invoice.voided', '', null),
    told('invoice.uncollectible', '', null),
    told('dispute.opened', 'dp_1', 700n),
    told('dispute.closed', 'dp_1', 700n, true),
  ]);
});

test('what is of another invoice, or in another currency than it, is not of it', async () => {
  const run = runOf([
    ['invoice.paid', { ...euros(1), invoiceId: 'in_2' }],
    ['invoice.paid', { ...euros(1), currency: 'USD' }],
  ]);
  expect(await readSettlements(run, OURS)).toEqual(new Map());
});

test('only what was told of the invoices that are asked about is loaded, however many these are', async () => {
  const opened = await openTestDuckdb();
  const { warehouse } = opened;
  // Of 3,000 invoices, each paid once, every second one is asked about.
  await warehouse.run(
    `create table billing_facts as select 'invoice.paid' as type, 'e_' || n as event_id, timestamp '2026-05-03 08:00:00' as at,
       '{"invoiceId":"in_' || n || '","amountMinor":' || n || ',"currency":"EUR"}' as data from range(3000) as numbers(n)`,
  );
  const asked = new Map(Array.from({ length: 1_500 }, (_, index) => [`in_${index * 2}`, 'EUR']));
  let loaded = 0;
  const settlements = await readSettlements(
    {
      ...{ dialect: warehouse.dialect, facts: () => 'billing_facts' },
      query: async (sql, parameters, schema) => {
        const rows = await warehouse.query(sql, parameters, schema);
        loaded += rows.length;
        return rows;
      },
    },
    asked,
  );
  await opened.close();
  expect(loaded).toBe(1_500);
  expect(settlements.size).toBe(1_500);
  for (const [invoiceId, told] of settlements) {
    expect(told.map(({ amountMinor }) => `in_${amountMinor}`)).toEqual([invoiceId]);
  }
});
