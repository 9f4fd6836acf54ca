import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  enteredEntry,
  invoiceEntries,
  type Entered,
  type IssuedInvoice,
  type JournalEntry,
  type Settlement,
} from './journal.js';

const IDS = {
  account: 'acct_1',
  mode: 'test' as const,
  sha256: (text: string) => createHash('sha256').update(text).digest('hex'),
};
const ABOUT = { orgId: 'org_1', currency: 'USD', month: '2026-04-01' };

function entered(more: Partial<Entered>): Entered {
  return {
    ...{ ...ABOUT, causeId: 'bill_1', at: 1n, bill: null, isWithdrawal: false },
    ...{ billedMinor: 0n, lines: [], waitedMinor: 0n, movementMinor: 0n, ...more },
  };
}

function usage(amountMinor: bigint, meterId = 'ops'): Entered['lines'][number] {
  return { kind: 'usage', meterId, amountMinor };
}

/** An invoice of $100.00, final at 10. */
function issued(settlements: readonly Partial<Settlement>[], totalMinor = 10_000n): IssuedInvoice {
  return {
    ...{ ...ABOUT, billId: 'bill_1', invoiceId: 'in_1', totalMinor, finalizedAt: 10n },
    settlements: settlements.map((one, index) => ({
      ...{ type: 'invoice.paid' as const, key: `key_${index}`, at: 11n + BigInt(index) },
      ...{ amountMinor: null, isWon: false, ...one },
    })),
  };
}

/** `account[/meter] amount`, debits above 0. */
function booked(entry: JournalEntry | null | undefined): string[] {
  return (entry?.lines ?? []).map(
    ({ account, meterId, amountMinor }) => `${account}${meterId && `/${meterId}`} ${amountMinor}`,
  );
}

function books(settlements: readonly Partial<Settlement>[]): string[][] {
  return invoiceEntries(issued(settlements), IDS)
    .entries.slice(1)
    .map((entry) => [entry.kind, ...booked(entry)]);
}

describe('usage that is entered', () => {
  test('is revenue of its meters, less what was taken off, and accrued until it is invoiced', () => {
    const lines = [
      usage(12_500n),
      usage(500n, 'tokens'),
      { kind: 'coupon' as const, meterId: '', amountMinor: -1_300n },
      { kind: 'credit' as const, meterId: '', amountMinor: -2_000n },
      { kind: 'commitment' as const, meterId: '', amountMinor: 300n },
    ];
    // 12,500 + 500 − 1,300 − 2,000 + 300 = 10,000.
    expect(booked(enteredEntry(entered({ billedMinor: 10_000n, lines }), IDS))).toEqual([
      'accrued 10000',
      'usage_revenue/ops -12500',
      'usage_revenue/tokens -500',
      'discounts 1300',
      'prepaid 2000',
      'commitment_revenue -300',
    ]);
  });

  test('is accrued where it waits for a later bill', () => {
    const waits = { lines: [usage(30n)], movementMinor: 30n };
    expect(booked(enteredEntry(entered(waits), IDS))).toEqual(['accrued 30', 'usage_revenue/ops -30']);
  });

  test('is owed to the customer where it was too much, and the next bill takes it off', () => {
    const tooMuch = { lines: [usage(-500n)], movementMinor: -500n };
    expect(booked(enteredEntry(entered(tooMuch), IDS))).toEqual([
      'customer_credits -500',
      'usage_revenue/ops 500',
    ]);
    // 2,000 of usage less 500 owed is a bill of 1,500.
    const next = { lines: [usage(2_000n)], billedMinor: 1_500n, waitedMinor: -500n, movementMinor: 500n };
    expect(booked(enteredEntry(entered(next), IDS))).toEqual([
      'accrued 1500',
      'customer_credits 500',
      'usage_revenue/ops -2000',
    ]);
  });

  test('is split between both accounts where what waits changes its sign', () => {
    const correction = { lines: [usage(-100n)], waitedMinor: 30n, movementMinor: -100n };
    expect(booked(enteredEntry(entered(correction), IDS))).toEqual([
      'accrued -30',
      'customer_credits -70',
      'usage_revenue/ops 100',
    ]);
  });

  test('that does not add up to its bill and what waits is a bug, and no entry', () => {
    const off = entered({ lines: [usage(100n)], billedMinor: 99n });
    expect(() => enteredEntry(off, IDS)).toThrow('must balance, and is off by -1 USD');
  });
});

describe('an invoice', () => {
  test('takes what was accrued to receivables', () => {
    const { entries, openMinor } = invoiceEntries(issued([]), IDS);
    expect(entries.map(booked)).toEqual([['receivable 10000', 'accrued -10000']]);
    expect(openMinor).toBe(10_000n);
  });

  test('that is paid in two parts has an entry for each, and one told twice has one', () => {
    const first = { key: 'py_1', amountMinor: 4_000n };
    expect(books([first, first, { key: 'py_2', amountMinor: 6_000n }])).toEqual([
      ['payment', 'cash 4000', 'receivable -4000'],
      ['payment', 'cash 6000', 'receivable -6000'],
    ]);
  });

  test('given up, then paid after all, takes the write-off back', () => {
    const parts = [
      { amountMinor: 1_000n },
      { type: 'invoice.uncollectible' as const },
      { amountMinor: 9_000n },
    ];
    expect(books(parts)).toEqual([
      ['payment', 'cash 1000', 'receivable -1000'],
      ['write_off', 'write_offs 9000', 'receivable -9000'],
      ['payment', 'cash 9000', 'write_offs -9000'],
    ]);
  });

  test('that was voided is accrued again: its usage is unbilled', () => {
    expect(books([{ type: 'invoice.voided' }])).toEqual([['void', 'accrued 10000', 'receivable -10000']]);
  });

  test('credited before it was paid is open for the rest; refunded and disputed money leaves the cash', () => {
    expect(
      books([
        { type: 'credit_note.issued', amountMinor: 2_500n },
        { amountMinor: 7_500n },
        { type: 'invoice.refunded', amountMinor: 500n },
        { type: 'dispute.opened', key: 'dp_1', amountMinor: 7_000n },
        { type: 'dispute.closed', key: 'dp_1', amountMinor: 7_000n },
      ]),
    ).toEqual([
      ['credit_note', 'credit_notes 2500', 'receivable -2500'],
      ['payment', 'cash 7500', 'receivable -7500'],
      ['refund', 'refunds 500', 'cash -500'],
      ['dispute', 'disputed 7000', 'cash -7000'],
      ['dispute_closed', 'write_offs 7000', 'disputed -7000'],
    ]);
  });

  test('paid beyond what was open owes the rest to the customer', () => {
    expect(books([{ amountMinor: 10_300n }])).toEqual([
      ['payment', 'cash 10300', 'receivable -10000', 'customer_credits -300'],
    ]);
  });
});

/** A bill, or usage that waits, of an org; what becomes of it, and the parts in which it is paid. */
const anyStep = fc.record({
  amounts: fc.array(fc.bigInt(-5_000n, 20_000n), { minLength: 1, maxLength: 4 }),
  /** 0: no bill. */
  billedMinor: fc.bigInt(0n, 20_000n),
  fate: fc.constantFrom('entered', 'withdrawn', 'final', 'given up' as const),
  parts: fc.array(fc.bigInt(1n, 8_000n), { maxLength: 4 }),
});

test('every entry balances, and all of an org and currency come to what is unpaid, not invoiced yet, and waits', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 12 }), (steps) => {
      const entries: (JournalEntry | null)[] = [];
      let [waits, unpaid, notInvoiced] = [0n, 0n, 0n];
      steps.forEach(({ amounts, billedMinor, fate, parts }, index) => {
        const lines = amounts.map((amount, meter) => usage(amount, `meter_${meter}`));
        const movementMinor = amounts.reduce((sum, amount) => sum + amount, -billedMinor);
        const whole = { causeId: `bill_${index}`, lines, billedMinor, waitedMinor: waits, movementMinor };
        entries.push(enteredEntry(entered(whole), IDS));
        waits += movementMinor;
        if (fate === 'withdrawn') {
          const back = lines.map((one) => ({ ...one, amountMinor: -one.amountMinor }));
          const given = {
            lines: back,
            billedMinor: -billedMinor,
            waitedMinor: waits,
            movementMinor: -movementMinor,
          };
          entries.push(enteredEntry(entered({ ...given, causeId: `wdr_${index}`, isWithdrawal: true }), IDS));
          waits -= movementMinor;
        } else if (fate === 'entered' || billedMinor === 0n) notInvoiced += billedMinor;
        else {
          let left = billedMinor;
          const paid = parts.map((part) => {
            const amountMinor = part < left ? part : left;
            left -= amountMinor;
            return { amountMinor };
          });
          const isGivenUp = fate === 'given up';
          const settlements = [...paid, ...(isGivenUp ? [{ type: 'invoice.uncollectible' as const }] : [])];
          const invoice = {
            ...issued(settlements, billedMinor),
            billId: `bill_${index}`,
            invoiceId: `in_${index}`,
          };
          entries.push(...invoiceEntries(invoice, IDS).entries);
          unpaid += isGivenUp ? 0n : left;
        }
      });
      const all = entries.filter((entry) => entry !== null);
      const sumOf = (lines: JournalEntry['lines'], ...accounts: string[]): bigint =>
        lines
          .filter(({ account }) => accounts.length === 0 || accounts.includes(account))
          .reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
      for (const { lines } of all) expect(sumOf(lines)).toBe(0n);
      expect(new Set(all.map(({ entryId }) => entryId)).size).toBe(all.length);
      const standing = sumOf(
        all.flatMap(({ lines }) => lines),
        'receivable',
        'accrued',
        'customer_credits',
      );
      expect(standing).toBe(unpaid + notInvoiced + waits);
    }),
  );
});
