import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addDecimals, ZERO } from '../../core/decimal.js';
import { between } from '../../test/support/rating.js';
import type { LateUsage } from '../../core/catalog/usage.js';
import type { OverageLine } from '../overage-plan.js';
import { billIntents } from './bill-intents.js';
import { NO_APPROVAL } from './approval.js';
import {
  orgCurrency,
  type BillBooks,
  type CreditableInvoice,
  type LedgerLine,
  type Payer,
} from './bill-books.js';
import { planBills, type BillPlan } from './bill-plan.js';
import { lineCurrency, type Homes } from './plan-credits.js';
import { chargeable, stripeAmount } from '../../platform/outbound/stripe/stripe-amounts.js';
import { sha256 } from '../../platform/sha256.js';

const SEPTEMBER = between('2026-09-01T00:00:00Z', '2026-10-01T00:00:00Z');
const payer = (changes: Partial<Payer> = {}): Payer => ({
  customerId: 'cus_1',
  currency: null,
  collection: { method: 'charge_automatically' },
  ...changes,
});

function rated(lineId: string, amountMinor: bigint | null, changes: Partial<OverageLine> = {}): OverageLine {
  const currency = 'USD';
  return {
    lineId,
    orgId: 'org_1',
    subscriptionId: 'sub_1',
    meterId: lineId,
    period: SEPTEMBER,
    ...{ used: '1500', included: '1000', overage: '500', events: 3, eventDigest: '17' },
    status: amountMinor === 0n ? 'within' : 'due',
    reason: null,
    amount: amountMinor === null ? null : { amountMinor, currency },
    ...{ isAssumed: false, isIncludedAssumed: false, stopPolicy: 'soft', catalogVersion: 1n },
    adjustment: null,
    ...changes,
  };
}
const inCurrency = (lineId: string, amountMinor: bigint, currency: string, orgId = 'org_1'): OverageLine =>
  rated(lineId, amountMinor, { orgId, amount: { amountMinor, currency } });

function books(lines: readonly OverageLine[], changes: Partial<BillBooks> = {}): BillBooks {
  return {
    account: { account: 'acct_1', mode: 'test' },
    month: '2026-09-01',
    ending: SEPTEMBER,
    lines,
    lateUsage: () => 'credit_note',
    ledger: new Map(),
    carriedMinor: new Map(),
    billCounts: new Map(),
    billedMinor: new Map(),
    approval: NO_APPROVAL,
    payers: new Map([['org_1', payer()]]),
    sha256,
    ...changes,
  };
}
const ledger = (...entries: readonly [string, bigint, number, string?][]): BillBooks['ledger'] =>
  new Map(
    entries.map(([lineId, amountMinor, sequence, currency = 'USD']): [string, LedgerLine[]] => [
      lineId,
      [{ lineId, amountMinor, sequence, currency, creditQuantity: ZERO }],
    ]),
  );
const waiting = (amountMinor: bigint, currency = 'USD') =>
  new Map([[orgCurrency('org_1', currency), amountMinor]]);
const billed = ({ bills }: BillPlan) =>
  bills.map(({ lines, carriedItemMinor, totalMinor }) => ({
    items: lines.map(({ rated: { lineId }, sequence, chargedMinor }) => [lineId, sequence, chargedMinor]),
    carriedItemMinor,
    totalMinor,
  }));

describe('one org', () => {
  test('what was rated is on one bill, line by line', () => {
    const plan = planBills(books([rated('ops', 1_234n), rated('storage', 200n), rated('calls', 0n)]));
    expect(billed(plan)).toEqual([
      {
        items: [
          ['ops', 1, 1_234n],
          ['storage', 1, 200n],
        ],
        carriedItemMinor: 0n,
        totalMinor: 1_434n,
      },
    ]);
    expect(plan).toMatchObject({ carried: [], movements: [], heldBack: [] });
  });

  test('each currency has a bill of its own', () => {
    const plan = planBills(books([rated('ops', 1_000n), inCurrency('storage', 700n, 'EUR')]));
    expect(plan.bills.map(({ currency, totalMinor }) => [currency, totalMinor])).toEqual([
      ['EUR', 700n],
      ['USD', 1_000n],
    ]);
  });

  test('billed before and worth the same: nothing', () => {
    const plan = planBills(books([rated('ops', 1_234n)], { ledger: ledger(['ops', 1_234n, 1]) }));
    expect(plan).toEqual({ bills: [], carried: [], movements: [], heldBack: [] });
  });

  test('late usage: the difference, as the next sequence of the line, on the next bill of the month', () => {
    const late = books([rated('ops', 1_500n)], {
      ledger: ledger(['ops', 1_234n, 2]),
      billCounts: new Map([[orgCurrency('org_1', 'USD'), 1]]),
    });
    const plan = planBills(late);
    expect(billed(plan)).toEqual([{ items: [['ops', 3, 266n]], carriedItemMinor: 0n, totalMinor: 266n }]);
    expect(plan.bills[0]?.sequence).toBe(2);
    expect(plan.bills[0]?.billId).not.toBe(planBills({ ...late, billCounts: new Map() }).bills[0]?.billId);
  });

  test('what is above the bound waits for approval; each bill of a month counts towards its rise', () => {
    const approval = { aboveMinor: new Map([['USD', 5_000n]]), risePercent: 100 };
    const reasons = (amountMinor: bigint, billed: readonly [bigint, bigint] | null) => {
      const key = orgCurrency('org_1', 'USD');
      const billedMinor = new Map(
        billed === null ? [] : [[key, { monthMinor: billed[0], lastMonthMinor: billed[1] }]],
      );
      const plan = planBills(books([rated('ops', amountMinor)], { approval, billedMinor }));
      return plan.bills.map(({ approvalReason }) => approvalReason);
    };
    expect(reasons(5_000n, null)).toEqual([null]);
    expect(reasons(5_001n, null)).toEqual(['it is of more than $50.00']);
    expect(reasons(1_000n, [1_000n, 1_000n])).toEqual([null]);
    expect(reasons(1_001n, [1_000n, 1_000n])).toEqual([
      'it brings the month to $20.01, more than 100 % over the $10.00 of the month before',
    ]);
  });

  test('under the least that Stripe charges it waits, and goes with the next', () => {
    const small = planBills(books([rated('ops', 30n)]));
    expect(small).toMatchObject({ bills: [], carried: [{ reason: 'under_minimum' }], heldBack: [] });
    expect(small.movements.map(({ amountMinor }) => amountMinor)).toEqual([30n]);
    const next = planBills(books([rated('calls', 40n)], { carriedMinor: waiting(30n) }));
    expect(billed(next)).toEqual([{ items: [['calls', 1, 40n]], carriedItemMinor: 30n, totalMinor: 70n }]);
    expect(next.movements.map(({ amountMinor }) => amountMinor)).toEqual([-30n]);
  });

  test('too much was billed: it waits as credit, and is taken off the next bill', () => {
    const less = planBills(books([rated('ops', 1_000n)], { ledger: ledger(['ops', 1_500n, 1]) }));
    expect(less).toMatchObject({ bills: [], carried: [{ reason: 'credit' }] });
    expect(less.movements.map(({ amountMinor }) => amountMinor)).toEqual([-500n]);
    const next = planBills(books([rated('calls', 2_000n)], { carriedMinor: waiting(-500n) }));
    expect(billed(next)).toEqual([
      { items: [['calls', 1, 2_000n]], carriedItemMinor: -500n, totalMinor: 1_500n },
    ]);
  });

  test('billed in dollars, then sold in euros: all dollars are given back, and the euros billed', () => {
    const plan = planBills(books([inCurrency('ops', 900n, 'EUR')], { ledger: ledger(['ops', 1_000n, 1]) }));
    expect(billed(plan)).toEqual([{ items: [['ops', 3, 900n]], carriedItemMinor: 0n, totalMinor: 900n }]);
    expect(plan.carried.map(({ currency, lines }) => [currency, lines[0]?.sequence])).toEqual([['USD', 2]]);
    expect(plan.movements).toMatchObject([{ currency: 'USD', amountMinor: -1_000n }]);
  });

  test('nobody can pay 1,234 fils: a multiple of ten is charged, the rest waits with the others’', () => {
    const plan = planBills(books([inCurrency('ops', 1_234n, 'KWD'), inCurrency('storage', 2_007n, 'KWD')]));
    // 4 and 7 are 11: ten of them can be charged.
    expect(billed(plan)).toEqual([
      {
        items: [
          ['ops', 1, 1_230n],
          ['storage', 1, 2_000n],
        ],
        carriedItemMinor: 10n,
        totalMinor: 3_240n,
      },
    ]);
    expect(plan.movements.map(({ amountMinor }) => amountMinor)).toEqual([1n]);
  });

  test('more lines than an invoice holds make several, each with its number', () => {
    const plan = planBills(books(Array.from({ length: 600 }, (_, index) => rated(`m${index}`, 100n))));
    expect(plan.bills.map(({ lines, sequence }) => [lines.length, sequence])).toEqual([
      [249, 1],
      [249, 2],
      [102, 3],
    ]);
  });
});

describe('money that nobody can bill', () => {
  const heldBack = (...given: Parameters<typeof books>) => {
    const plan = planBills(books(...given));
    expect(plan).toMatchObject({ bills: [], carried: [], movements: [] });
    return plan.heldBack.map(({ orgId, cause, message }) => [orgId, cause, message]);
  };

  test('an org without a customer is named, with the command that links one', () => {
    expect(heldBack([rated('ops', 100n)], { payers: new Map() })).toEqual([
      ['org_1', 'no_customer', expect.stringContaining('headgate billing link org_1') as string],
    ]);
  });

  test('a customer of another currency, and a currency that Stripe does not have', () => {
    const payers = new Map([['org_1', payer({ currency: 'EUR' })]]);
    expect(heldBack([rated('ops', 100n)], { payers })).toEqual([
      ['org_1', 'customer_currency', expect.stringContaining('EUR') as string],
    ]);
    expect(heldBack([inCurrency('ops', 100n, 'IRR')])).toEqual([
      ['org_1', 'currency_unsupported', expect.stringContaining('IRR') as string],
    ]);
  });

  test('more than eight digits', () => {
    expect(heldBack([rated('ops', 100_000_000n)])[0]?.[1]).toBe('amount_too_large');
    expect(planBills(books([rated('ops', 99_999_999n)])).bills).toHaveLength(1);
  });

  test('a meter that vanished from the catalog, after it was billed; before, there is nothing to say', () => {
    const vanished = rated('ops', null, { status: 'unrated', reason: 'no meter' });
    expect(heldBack([vanished], { ledger: ledger(['ops', 100n, 1]) })).toEqual([
      ['org_1', 'no_longer_rated', expect.stringContaining('no meter') as string],
    ]);
    expect(heldBack([vanished])).toEqual([]);
  });

  test('a price or an allowance that the catalog assumes, in live mode; in test mode it is billed', () => {
    const account = { account: 'acct_1', mode: 'live' as const };
    for (const guess of [{ isAssumed: true }, { isIncludedAssumed: true }]) {
      const line = rated('ops', 100n, guess);
      expect(heldBack([line], { account })).toEqual([
        ['org_1', 'assumed', expect.stringContaining('publish one without `assumed`') as string],
      ]);
      expect(planBills(books([line])).bills).toHaveLength(1);
    }
    expect(heldBack([rated('ops', 0n, { isAssumed: true })], { account })).toEqual([]);
  });

  test('a hard stop that came to light after the bill gives back what was billed', () => {
    const stopped = rated('ops', null, { status: 'stopped' });
    const plan = planBills(books([stopped], { ledger: ledger(['ops', 900n, 1]) }));
    expect(plan.movements.map(({ amountMinor }) => amountMinor)).toEqual([-900n]);
  });
});

test('what takes something off is entered also where it rests on what the catalog assumes; what adds is not', () => {
  const adjustment = (kind: 'cap' | 'commitment') => ({
    ...{ kind, words: 'in words', creditId: null, quantity: null, creditsLeft: {} },
  });
  const lines = [
    rated('ops', 1_000n),
    rated('adj_cap', -300n, { isAssumed: true, adjustment: adjustment('cap') }),
    rated('adj_commitment', 400n, { isAssumed: true, adjustment: adjustment('commitment') }),
  ];
  const plan = planBills(books(lines, { account: { account: 'acct_1', mode: 'live' } }));
  expect(billed(plan)[0]?.totalMinor).toBe(700n);
  expect(plan.heldBack).toMatchObject([{ cause: 'assumed', money: { amountMinor: 400n } }]);
  expect(plan.heldBack[0]?.message).toContain('in words');
});

test('usage that can’t be rated any more keeps its charge, and what was taken off it; the next period is billed', () => {
  const adjustment = {
    kind: 'cap' as const,
    words: 'Spend cap',
    creditId: null,
    quantity: null,
    creditsLeft: {},
  };
  const october = between('2026-10-01T00:00:00Z', '2026-11-01T00:00:00Z');
  const lines = [
    rated('ops', null, { status: 'unrated', reason: 'no meter' }),
    // Rated anew without that usage, the cap would take nothing off.
    rated('adj_cap', 0n, { adjustment }),
    rated('later', 700n, { period: october }),
  ];
  const plan = planBills(books(lines, { ledger: ledger(['ops', 10_000n, 1], ['adj_cap', -2_000n, 1]) }));
  expect(billed(plan)).toMatchObject([{ items: [['later', 1, 700n]], totalMinor: 700n }]);
  expect(plan.heldBack.map(({ cause }) => cause)).toEqual(['no_longer_rated', 'no_longer_rated']);
});

test('what one invoice has no place for, the next one nets: credits pay lines of another', () => {
  // 249 credits of $1.00, then 249 lines of $1.10: $24.90 are left to pay, in one invoice and not $273.90.
  const credits = Array.from({ length: 249 }, (_, index) => rated(`a${index}`, -100n));
  const usage = Array.from({ length: 249 }, (_, index) => rated(`b${index}`, 110n));
  const approval = { aboveMinor: new Map([['USD', 3_000n]]), risePercent: null };
  const plan = planBills(books([...credits, ...usage], { approval }));
  expect(plan.bills.map(({ totalMinor, approvalReason }) => [totalMinor, approvalReason])).toEqual([
    [2_490n, null],
  ]);
  expect(plan.movements.reduce((sum, { amountMinor }) => sum + amountMinor, 0n)).toBe(0n);
});

test('an amount that needs approval needs it on several invoices too', () => {
  const lines = Array.from({ length: 300 }, (_, index) => rated(`a${index}`, 100n));
  const approval = { aboveMinor: new Map([['USD', 29_999n]]), risePercent: null };
  const plan = planBills(books(lines, { approval }));
  expect(plan.bills.map(({ totalMinor, approvalReason }) => [totalMinor, approvalReason])).toEqual([
    [24_900n, 'it is of more than $299.99'],
    [5_100n, 'it is of more than $299.99'],
  ]);
});

test('what is owed in fils that can’t be charged comes off whole: nobody pays more than was rated', () => {
  // 53.394 and 0.252 owed: 53.142. Of it 53.140 can be charged, and 0.002 wait.
  const plan = planBills(
    books([inCurrency('storage', 53_394n, 'KWD')], { carriedMinor: waiting(-252n, 'KWD') }),
  );
  expect(billed(plan)).toMatchObject([{ carriedItemMinor: -250n, totalMinor: 53_140n }]);
  expect(plan.movements.map(({ amountMinor }) => amountMinor)).toEqual([254n]);
});

describe('a credit note', () => {
  const home = (changes: Partial<CreditableInvoice> = {}): Homes => {
    const invoice = { billId: 'bill_0', invoiceId: 'in_0', customerId: 'cus_1', leftMinor: 1_000n };
    const whole = { ...invoice, isPaid: false, refusals: 0, ...changes };
    return new Map([[lineCurrency('ops', 'USD'), whole]]);
  };
  const plan = (worth: bigint, homes: Homes, changes: Partial<BillBooks> = {}) =>
    planBills(books([rated('ops', worth)], { ledger: ledger(['ops', 1_000n, 1]), ...changes }), homes);
  const waits = ({ bills, movements }: BillPlan) => [
    bills.length,
    movements.map(({ amountMinor }) => amountMinor),
  ];

  test('takes off what is too much', () => {
    expect(plan(600n, home()).bills).toMatchObject([{ totalMinor: -400n, credits: { invoiceId: 'in_0' } }]);
    expect(plan(0n, home({ isPaid: true })).bills).toMatchObject([{ totalMinor: -1_000n }]);
  });

  test.each<[string, bigint, Partial<CreditableInvoice>]>([
    ['more than is left of the invoice', 600n, { leftMinor: 399n }],
    ['so much that the rest could not be charged', 49n, {}],
    [
      'of a paid invoice of somebody who pays for the org no more',
      600n,
      { isPaid: true, customerId: 'cus_old' },
    ],
    ['what Stripe has refused twice', 600n, { refusals: 2 }],
  ])('is not made of %s: it waits', (_, worth, changes) => {
    expect(waits(plan(worth, home(changes)))).toEqual([0, [worth - 1_000n]]);
  });

  test('several of one org need approval by their sum', () => {
    const homes = new Map(
      ['a', 'b'].map((lineId) => [
        lineCurrency(lineId, 'USD'),
        {
          billId: `bill_${lineId}`,
          invoiceId: `in_${lineId}`,
          customerId: 'cus_1',
          leftMinor: 500n,
          isPaid: false,
          refusals: 0,
        },
      ]),
    );
    const approval = { aboveMinor: new Map([['USD', 700n]]), risePercent: null };
    const before = books([rated('a', 0n), rated('b', 0n)], {
      approval,
      ledger: ledger(['a', 500n, 1], ['b', 500n, 1]),
    });
    expect(planBills(before, homes).bills.map(({ approvalReason }) => approvalReason)).toEqual([
      'it is of more than $7.00',
      'it is of more than $7.00',
    ]);
  });
});

test('where late usage is only reported, all of its period stays as it was billed: its cap is of the whole', () => {
  const adjustment = {
    kind: 'cap' as const,
    words: 'Spend cap',
    creditId: null,
    quantity: null,
    creditsLeft: {},
  };
  // $2.00 at most: 1.50 and 0.50 were billed; 0.01 and 5.00 came late.
  const lines = [rated('ops', 151n), rated('calls', 550n), rated('adj_cap', -501n, { adjustment })];
  const before = books(lines, {
    lateUsage: (meterId) => (meterId === 'ops' ? 'report' : 'credit_note'),
    ledger: ledger(['ops', 150n, 1], ['calls', 50n, 1]),
  });
  const plan = planBills(before);
  expect(plan).toMatchObject({ bills: [], carried: [], movements: [] });
  expect(plan.heldBack.map(({ cause }) => cause)).toEqual(['late_usage', 'late_usage', 'late_usage']);
});

describe('for any books', () => {
  const CURRENCIES = ['USD', 'EUR', 'JPY', 'KWD', 'ISK', 'MGA'];
  const ORGS = ['org_1', 'org_2', 'org_3'];
  const anyLine = fc.record({
    org: fc.constantFrom(...ORGS),
    currency: fc.constantFrom(...CURRENCIES),
    billedIn: fc.constantFrom(...CURRENCIES),
    worth: fc.bigInt(0n, 200_000n),
    before: fc.option(fc.bigInt(-1_000n, 200_000n), { nil: undefined }),
    sequence: fc.integer({ min: 1, max: 5 }),
    // Which of its payer's final invoices charged it, if any.
    home: fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined }),
  });
  const anyBooks = fc
    .record({
      lines: fc.array(anyLine, { maxLength: 30 }),
      waiting: fc.array(fc.bigInt(-5_000n, 5_000n), { minLength: 18, maxLength: 18 }),
      left: fc.array(fc.bigInt(0n, 300_000n), { minLength: 3, maxLength: 3 }),
      lateUsage: fc.constantFrom<LateUsage>('credit_note', 'next_invoice', 'reopen_draft'),
    })
    .map(({ lines, waiting: amounts, left, lateUsage }) => {
      const homes = lines.flatMap(({ org, billedIn, home }, index): [string, CreditableInvoice][] => {
        if (home === undefined) return [];
        const billId = `bill_${org}_${billedIn}_${home}`;
        const invoice = {
          billId,
          invoiceId: `in_${billId}`,
          customerId: 'cus_1',
          isPaid: home === 1,
          refusals: 0,
        };
        const { unitMinor } = chargeable(billedIn);
        const leftMinor = (left[home] ?? 0n) - ((left[home] ?? 0n) % unitMinor);
        return [[lineCurrency(`line_${index}`, billedIn), { ...invoice, leftMinor }]];
      });
      const keys = ORGS.flatMap((org) => CURRENCIES.map((currency) => orgCurrency(org, currency)));
      const before = books(
        lines.map(({ org, currency, worth }, index) => inCurrency(`line_${index}`, worth, currency, org)),
        {
          lateUsage: () => lateUsage,
          payers: new Map(ORGS.map((org) => [org, payer()])),
          carriedMinor: new Map(keys.map((key, index) => [key, amounts[index] ?? 0n])),
          ledger: ledger(
            ...lines.flatMap(({ before, sequence, billedIn }, index): [string, bigint, number, string][] =>
              before === undefined ? [] : [[`line_${index}`, before, sequence, billedIn]],
            ),
          ),
        },
      );
      return { before, homes: new Map(homes) };
    });

  /** The books as they are once the plan was carried out. */
  function afterPlan(before: BillBooks, plan: BillPlan): BillBooks {
    const entered = new Map(before.ledger);
    for (const { lines, currency } of [...plan.bills, ...plan.carried]) {
      for (const { rated: line, sequence, amountMinor, creditQuantity: more } of lines) {
        const { lineId } = line;
        const all = entered.get(lineId) ?? [];
        const known = all.find((one) => one.currency === currency);
        const now = {
          ...{ lineId, currency, sequence },
          amountMinor: (known?.amountMinor ?? 0n) + amountMinor,
          creditQuantity: addDecimals(known?.creditQuantity ?? ZERO, more),
        };
        entered.set(lineId, [...all.filter((one) => one.currency !== currency), now]);
      }
    }
    const carriedMinor = new Map(before.carriedMinor);
    for (const { orgId, currency, amountMinor } of plan.movements) {
      const key = orgCurrency(orgId, currency);
      carriedMinor.set(key, (carriedMinor.get(key) ?? 0n) + amountMinor);
    }
    return { ...before, ledger: entered, carriedMinor };
  }
  const total = (amounts: Iterable<bigint>): bigint => [...amounts].reduce((sum, one) => sum + one, 0n);

  test('what is billed and what waits is what was rated, to the minor unit', () => {
    fc.assert(
      fc.property(anyBooks, ({ before, homes }) => {
        const plan = planBills(before, homes);
        const after = afterPlan(before, plan);
        const entered = (of: BillBooks, currency: string, lineId: string): bigint =>
          of.ledger.get(lineId)?.find((one) => one.currency === currency)?.amountMinor ?? 0n;
        for (const currency of CURRENCIES) {
          const worth = ({ amount }: OverageLine): bigint =>
            amount?.currency === currency ? amount.amountMinor : 0n;
          for (const line of before.lines) expect(entered(after, currency, line.lineId)).toBe(worth(line));
          const owed = total(
            before.lines.map((line) => worth(line) - entered(before, currency, line.lineId)),
          );
          const ofCurrency = (map: ReadonlyMap<string, bigint>): bigint =>
            total([...map].filter(([key]) => key.includes(`"${currency}"`)).map(([, amount]) => amount));
          const onBills = total(
            plan.bills.filter((bill) => bill.currency === currency).map(({ totalMinor }) => totalMinor),
          );
          expect(onBills + ofCurrency(after.carriedMinor)).toBe(owed + ofCurrency(before.carriedMinor));
        }
      }),
    );
  });

  test('carried out, there is nothing left to do', () => {
    fc.assert(
      fc.property(anyBooks, ({ before, homes }) => {
        const after = afterPlan(before, planBills(before, homes));
        expect(planBills(after, homes)).toEqual({ bills: [], carried: [], movements: [], heldBack: [] });
      }),
    );
  });

  test('Stripe can charge each bill, and its items are its total', () => {
    fc.assert(
      fc.property(anyBooks, ({ before, homes }) => {
        const context = { account: before.account, month: before.month, ending: before.ending, sha256 };
        for (const bill of planBills(before, homes).bills.filter(({ credits }) => credits === null)) {
          const { unitMinor, leastMinor } = chargeable(bill.currency);
          const [invoice, ...rest] = billIntents(bill, context);
          const items = rest.slice(0, -1).map(({ request }) => Number(request.parameters['amount']));
          expect(bill.totalMinor % unitMinor).toBe(0n);
          expect(bill.totalMinor >= leastMinor && bill.totalMinor > 0n).toBe(true);
          expect(items.length).toBeLessThanOrEqual(250);
          expect(items.reduce((sum, amount) => sum + amount, 0)).toBe(
            stripeAmount({ amountMinor: bill.totalMinor, currency: bill.currency }),
          );
          expect(rest.every(({ request }) => request.on === invoice?.intentId)).toBe(true);
        }
      }),
    );
  });

  test('a credit note takes off a final invoice what its lines came to less, at most what is left of it', () => {
    let notesMet = 0;
    fc.assert(
      fc.property(anyBooks, ({ before, homes }) => {
        const context = { account: before.account, month: before.month, ending: before.ending, sha256 };
        const notes = planBills(before, homes).bills.filter(({ credits }) => credits !== null);
        notesMet += notes.length;
        for (const bill of notes) {
          const { credits, currency, totalMinor, lines } = bill;
          const { unitMinor } = chargeable(currency);
          const lessMinor = -total(lines.map(({ amountMinor }) => amountMinor));
          expect(totalMinor < 0n && -totalMinor <= lessMinor && lessMinor + totalMinor < unitMinor).toBe(
            true,
          );
          const own = lines.map((line) => homes.get(lineCurrency(line.rated.lineId, currency)));
          expect(own.map((home) => home?.billId)).toEqual(lines.map(() => credits?.billId));
          expect(-totalMinor <= (own[0]?.leftMinor ?? 0n)).toBe(true);
          const amount = stripeAmount({ amountMinor: -totalMinor, currency });
          const [{ request, purpose } = { request: null, purpose: null }, ...more] = billIntents(
            bill,
            context,
          );
          expect([
            purpose?.kind,
            more,
            request?.parameters['amount'],
            request?.parameters['invoice'],
          ]).toEqual(['credit_note', [], amount, credits?.invoiceId]);
          expect(request?.parameters['credit_amount']).toBe(credits?.isPaid === true ? amount : undefined);
          expect(before.lateUsage('any')).not.toBe('next_invoice');
        }
      }),
    );
    expect(notesMet).toBeGreaterThan(0);
  });

  test('no two writes are the same one, and the order of lines changes nothing but their order', () => {
    fc.assert(
      fc.property(anyBooks, ({ before, homes }) => {
        const ids = (plan: BillPlan): string[] =>
          plan.bills.flatMap((bill) =>
            billIntents(bill, {
              account: before.account,
              month: before.month,
              ending: before.ending,
              sha256,
            }).map(({ intentId }) => intentId),
          );
        const forwards = ids(planBills(before, homes));
        expect(new Set(forwards).size).toBe(forwards.length);
        const backwards = ids(planBills({ ...before, lines: [...before.lines].reverse() }, homes));
        expect([...backwards].sort()).toEqual([...forwards].sort());
      }),
    );
  });
});
