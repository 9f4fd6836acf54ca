import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseInstant } from '../../core/time.js';
import { OverageBed, type Month } from '../../test/faults/prove-billed-once.js';
import { SecretText } from '../../platform/secrets.js';
import { openPgSql } from '../../platform/sql/pg-sql.js';
import { startTestStripe } from '../../test/support/local-stripe.js';
import { hasPostgres, startPostgres } from '../../test/support/postgres.js';
import { withdrawBill } from '../overage-run/withdraw-bill.js';
import type { JournalEntry } from './journal.js';
import { listLedgerBreaks } from './ledger-breaks.js';
import { listLedgerInvoices, summarizeLedger } from './ledger-invoices.js';
import { loadJournal } from './load-journal.js';

const REQUEST = {
  month: '2026-09-01',
  ending: { start: parseInstant('2026-09-01T00:00:00Z'), end: parseInstant('2026-10-01T00:00:00Z') },
  orgId: undefined,
};
/** The month with what a line is worth changed. */
function worth(month: Month, place: number, amountMinor: bigint): Month {
  const lines = month.lines.map((line, index) =>
    index === place ? { ...line, amount: { amountMinor, currency: 'USD' } } : line,
  );
  return { ...month, lines };
}

function described({ kind, lines }: JournalEntry): string {
  const parts = lines.map(({ account, meterId, amountMinor }) =>
    [account, meterId, String(amountMinor)].filter((part) => part !== '').join(' '),
  );
  return [kind, ...parts].join(', ');
}

function defineTests(open: () => Promise<{ bed: OverageBed; close: () => Promise<void> }>): void {
  let bed: OverageBed;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ bed, close } = await open());
  });
  afterAll(() => close());

  test('what the overage run, its corrections and a withdrawal write is a journal that balances', async () => {
    // Two meters, of $1.00 and $1.01.
    let month = await bed.openMonth(1, 2);
    const runIt = async () => {
      await bed.run(month, bed.runner(month));
      bed.passADay();
    };
    bed.server.faults.add({ kind: 'error_500', method: 'POST', path: '/v1/invoices/*/finalize', times: 100 });
    await runIt();
    bed.server.faults.clear();
    const [drafted] = await month.store.unfinished(null);
    if (drafted === undefined) throw new Error('a draft stands');
    await withdrawBill(drafted, { reason: 'a test', actor: 'test' }, bed.runner(month).deps);
    bed.passADay();
    await runIt();
    month = worth(month, 0, 60n);
    await runIt();
    month = worth(month, 1, 301n);
    await runIt();

    const { entries, differences } = await loadJournal(bed.sql, month.store.account, REQUEST, () =>
      Promise.resolve(new Map()),
    );
    expect(entries.map(described)).toHaveLength(8);
    expect(new Set(entries.map(described))).toEqual(
      new Set([
        'usage, accrued 201, usage_revenue meter_0 -100, usage_revenue meter_1 -101',
        'withdrawal, accrued -201, usage_revenue meter_0 100, usage_revenue meter_1 101',
        // Billed anew: the same words, and an entry of its own.
        'invoice, receivable 201, accrued -201',
        // 40 ¢ less are credited on the invoice that charged them.
        'usage, accrued -40, usage_revenue meter_0 40',
        'credit_note, accrued 40, receivable -40',
        'usage, accrued 200, usage_revenue meter_1 -200',
        'invoice, receivable 200, accrued -200',
      ]),
    );
    expect(new Set(entries.map(({ entryId }) => entryId)).size).toBe(8);
    expect(differences).toEqual([]);

    const asOf = parseInstant('2026-12-01T00:00:00Z');
    const filter = { month: REQUEST.month, orgId: undefined, isUnpaid: true };
    const page = { after: null, limit: 10, asOf };
    const invoices = await listLedgerInvoices(bed.sql, month.store.account, filter, page);
    expect(invoices.map((one) => [one.unpaidMinor, one.carryMinor, one.reconciliation]).sort()).toEqual([
      [161n, 0n, 'matched'],
      [200n, 0n, 'matched'],
    ]);
    // Final in the first days of October: 57 and 59 days ago at most.
    const [summary] = await summarizeLedger(bed.sql, month.store.account, filter, asOf);
    expect(summary).toMatchObject({ currency: 'USD', invoices: 2, totalMinor: 401n, unpaidMinor: 361n });
    expect(summary?.unpaidByAge.get('31-60')).toBe(361n);
    expect(await listLedgerBreaks(bed.sql, month.store.account, {}, { after: null, limit: 10 })).toEqual([]);
  });

  test('a credit note that was voided is taken back by an entry of its own, and the first one stays', async () => {
    let month = await bed.openMonth(1, 2);
    await bed.run(month, bed.runner(month));
    month = worth(month, 0, 60n);
    bed.passADay();
    const { plan } = await bed.run(month, bed.runner(month));
    const [note] = await month.store.reload(plan.bills.map(({ billId }) => billId));
    if (note?.creditNoteId == null) throw new Error('a credit note was made');
    bed.passADay();
    await bed.stripe.creditNotes.voidCreditNote(note.creditNoteId);
    await withdrawBill(note, { reason: 'a test', actor: 'test' }, bed.runner(month).deps);
    const { entries } = await loadJournal(bed.sql, month.store.account, REQUEST, () =>
      Promise.resolve(new Map()),
    );
    expect(entries.filter(({ kind }) => kind === 'credit_note').map(described)).toEqual([
      'credit_note, accrued 40, receivable -40',
      'credit_note, accrued -40, receivable 40',
    ]);
    const accrued = entries.flatMap(({ lines }) => lines).filter(({ account }) => account === 'accrued');
    expect(accrued.reduce((sum, { amountMinor }) => sum + amountMinor, 0n)).toBe(0n);
  });
}

describe('embedded', () => {
  defineTests(async () => {
    const bed = await OverageBed.open();
    return { bed, close: () => bed.close() };
  });
});

describe.runIf(hasPostgres())('on Postgres', () => {
  defineTests(async () => {
    const postgres = await startPostgres();
    const sql = await openPgSql({
      ...{ url: new SecretText(await postgres.createDatabase()), poolSize: 5, timeoutMs: 30_000 },
    });
    await sql.migrate();
    const bed = new OverageBed(await startTestStripe(), sql);
    return {
      bed,
      close: async () => {
        await bed.close();
        await postgres.stop();
      },
    };
  });
});
