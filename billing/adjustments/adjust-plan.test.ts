import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decimalOf } from '../../core/decimal.js';
import { adjusted, between, catalogOf, chose, granted, plan, told, uses } from '../../test/support/rating.js';
import type { OverageLine } from '../overage-plan.js';
import { creditUnitKey } from './credits.js';

const SEPTEMBER = between('2026-09-01T00:00:00Z', '2026-10-01T00:00:00Z');
const MID_SEPTEMBER = '2026-09-15T00:00:00Z';
const CURRENCIES = ['USD', 'JPY', 'KWD'];
const inOthers = (JPY: string, KWD: string) => [
  { amount: JPY, currency: 'JPY' },
  { amount: KWD, currency: 'KWD' },
];
/** 1,000 ops included, more at $0.05, ¥7.25 or 0.0155 dinars each. */
const METERED = {
  allowances: { ops: { quantity: '1000' } },
  overage: {
    ops: {
      model: 'per_unit',
      amount: '0.05',
      currency: 'USD',
      otherCurrencies: inOthers('7.25', '0.0155'),
    },
  },
};
const soft = (spendCap: object) => ({ stopPolicy: { default: 'soft', spendCap } });
const CAP = soft({ amount: '60.00', currency: 'USD', otherCurrencies: inOthers('9999', '20.005') });
const commitment = (more: object = {}) => ({
  minimumCommitment: {
    amount: '70.00',
    currency: 'USD',
    otherCurrencies: inOthers('10001', '18.000'),
    ...more,
  },
});
const DISCOUNTED = { discountsCoverOverage: true };
const soldAs = (terms: object, plans: Readonly<Record<string, object>> = {}) =>
  catalogOf({ currencies: CURRENCIES, plans: { growth: plan({ ...METERED, ...terms }), ...plans } });
const started = (data: object = {}, time = '2026-08-01T00:00:00Z') =>
  told('started', time, [{ productId: 'growth' }], data);
const COUPON = { discounts: [{ percentOff: '12.5' }] };

/** Lines in the order in which they are applied, as `what amount`. */
const ORDER = ['usage', 'quantity_credit', 'cap', 'coupon', 'commitment', 'credit'];
function told_(lines: readonly OverageLine[]): string[] {
  const kind = ({ adjustment }: OverageLine) => adjustment?.kind ?? 'usage';
  return [...lines]
    .sort((a, b) => ORDER.indexOf(kind(a)) - ORDER.indexOf(kind(b)))
    .map((line) => {
      const what = [kind(line), line.adjustment?.creditId].filter(Boolean).join(' ');
      return `${what} ${line.amount?.amountMinor ?? line.status}`;
    });
}
const totalOf = (lines: readonly OverageLine[]): bigint =>
  lines.reduce((sum, { amount }) => sum + (amount?.amountMinor ?? 0n), 0n);
/** What a month of `over` ops over the allowance comes to. */
const month = (
  terms: object,
  over: number | string,
  {
    events = [started()],
    ...prepaid
  }: { events?: ReturnType<typeof told>[] } & Parameters<typeof adjusted>[4] = {},
) =>
  adjusted(
    soldAs(terms),
    events,
    [uses(1000, '2026-09-02T00:00:00Z'), uses(over, MID_SEPTEMBER)],
    SEPTEMBER,
    prepaid,
  );

describe('all five together, each rounded once', () => {
  const terms = { ...CAP, ...DISCOUNTED, ...commitment() };
  test.each([
    // 2,000 × 0.05 = 100.00; 1,700 are 85.00; capped at 60.00; 87.5% of it are 52.50; 70.00 at least; 20.00 and 30.00 prepaid.
    {
      currency: 'USD',
      prepaid: ['2000', '3000'],
      lines: [10_000, -1_500, -2_500, -750, 1_750, -2_000, -3_000],
      total: 2_000n,
    },
    // 14,500; 12,325; 9,999; 8,749.125 is 8,749; 10,001; 3,000 and 5,000 prepaid.
    {
      currency: 'JPY',
      prepaid: ['3000', '5000'],
      lines: [14_500, -2_175, -2_326, -1_250, 1_252, -3_000, -5_000],
      total: 2_001n,
    },
    // 31.000; 26.350; 20.005; 17.504375 is 17.504; 18.000; 1.234 and 10.000 prepaid.
    {
      currency: 'KWD',
      prepaid: ['1234', '10000'],
      lines: [31_000, -4_650, -6_345, -2_501, 496, -1_234, -10_000],
      total: 6_766n,
    },
  ])('in $currency', ({ currency, prepaid: [first = '', second = ''], lines, total }) => {
    const rated = month(terms, 2_000, {
      events: [started({ currency, ...COUPON })],
      granted: [
        granted('cr_second', { amountMinor: second, currency }),
        granted('cr_first', { amountMinor: first, currency, priority: 1 }),
        granted('cr_ops', { meter: 'ops', quantity: '300' }),
      ],
    });
    const [usage, quantity, cap, coupon, minimum, one, two] = lines;
    expect(told_(rated)).toEqual([
      `usage ${usage}`,
      `quantity_credit cr_ops ${quantity}`,
      `cap ${cap}`,
      `coupon ${coupon}`,
      `commitment ${minimum}`,
      ...[`credit cr_first ${one}`, `credit cr_second ${two}`].sort(),
    ]);
    expect(totalOf(rated)).toBe(total);
  });

  test('each says in words what it is', () => {
    const rated = month(terms, 2_000, {
      events: [started(COUPON)],
      granted: [
        granted('cr_1', { amountMinor: '2000', currency: 'USD' }),
        granted('cr_ops', { meter: 'ops', quantity: '300' }),
      ],
    });
    const words = rated.flatMap(({ adjustment }) => adjustment?.words ?? []).sort();
    expect(words).toEqual([
      'Discount of 12.5% on usage of $60.00, 2026-09-01 to 2026-10-01',
      'Minimum commitment for 2026-09-01 to 2026-10-01: $70.00, used $52.50',
      'Prepaid credit cr_1, 2026-09-01 to 2026-10-01: from $20.00 that was left',
      'Prepaid credit cr_ops, 2026-09-01 to 2026-10-01: 300 ops',
      'Spend cap of growth, 2026-09-01 to 2026-10-01: $60.00, used $85.00',
    ]);
  });
});

describe('prepaid quantities', () => {
  test('lower what is priced, so that tiers are counted from what is left', () => {
    // 150 over: 100 at $1.00 and 50 at $0.50 are $125.00; with 120 prepaid, 30 at $1.00 are $30.00.
    const tiers = [{ upTo: '100', amount: '1.00' }, { amount: '0.50' }];
    const rated = month({ overage: { ops: { model: 'graduated', currency: 'USD', tiers } } }, 150, {
      granted: [granted('cr_ops', { meter: 'ops', quantity: '120' })],
    });
    expect(told_(rated)).toEqual(['usage 12500', 'quantity_credit cr_ops -9500']);
  });

  test('what would take nothing off a package is kept', () => {
    const packages = {
      overage: { ops: { model: 'package', amount: '5.00', currency: 'USD', block: '100' } },
    };
    const with20 = { granted: [granted('cr_ops', { meter: 'ops', quantity: '20' })] };
    // 150 and 130 are both two packages; 110 and 90 are two and one.
    expect(told_(month(packages, 150, with20))).toEqual(['usage 1000']);
    expect(told_(month(packages, 110, with20))).toEqual(['usage 1000', 'quantity_credit cr_ops -500']);
  });

  test('one that would cost more, by a tier of fewer units, is kept', () => {
    // By volume: 100 at $0.50 are $50.00, but 90 at $1.00 would be $90.00.
    const tiers = [{ upTo: '99', amount: '1.00' }, { amount: '0.50' }];
    const rated = month({ overage: { ops: { model: 'volume', currency: 'USD', tiers } } }, 100, {
      granted: [granted('cr_ops', { meter: 'ops', quantity: '10' })],
    });
    expect(told_(rated)).toEqual(['usage 5000']);
  });

  test('of another meter, or of usage that a hard stop does not bill, pays nothing', () => {
    const hard = { stopPolicy: { default: 'hard' } };
    const prepaid = { granted: [granted('cr_ops', { meter: 'ops', quantity: '10' })] };
    expect(told_(month(hard, 100, prepaid))).toEqual(['usage stopped']);
    const other = { granted: [granted('cr_x', { meter: 'other', quantity: '10' })] };
    expect(told_(month({}, 100, other))).toEqual(['usage 500']);
  });
});

describe('a spend cap', () => {
  test.each([
    ['under it', 1_199, ['usage 5995']],
    ['at it', 1_200, ['usage 6000']],
    ['a cent over it', 1_200.2, ['usage 6001', 'cap -1']],
    ['far over it', 100_000, ['usage 500000', 'cap -494000']],
  ])('%s', (_, over, lines) => {
    expect(told_(month(CAP, String(over)))).toEqual(lines);
  });

  test('in a currency that the catalog has none in caps nothing; it is never converted', () => {
    const inDollars = soft({ amount: '60.00', currency: 'USD' });
    const events = [started({ currency: 'JPY' })];
    expect(told_(month(inDollars, 2_000, { events }))).toEqual(['usage 14500']);
  });

  /** `growth` caps ops and tasks at $100.00 together, the add-on calls at $40.00; each is a dollar. */
  const meter = {
    name: 'T',
    unit: 't',
    stream: 'executions',
    eventType: 'execution.completed',
    key: 'tasks',
    aggregation: 'sum',
  };
  const each = { model: 'per_unit', amount: '1.00', currency: 'USD' };
  const several = catalogOf({
    meters: { tasks: meter, calls: { ...meter, key: 'calls' } },
    plans: {
      growth: plan({
        overage: { ops: each, tasks: each },
        ...soft({ amount: '100.00', currency: 'USD' }),
      }),
    },
    addons: {
      extra: {
        ...{ name: 'Extra', kind: 'services', price: { amount: '1', currency: 'USD', interval: 'month' } },
        overage: { calls: each },
        ...soft({ amount: '40.00', currency: 'USD' }),
      },
    },
  });
  const held = [
    told('started', '2026-08-01T00:00:00Z', [
      { productId: 'growth' },
      { kind: 'addon' as const, productId: 'extra' },
    ]),
  ];
  const ahead = '2026-08-15T00:00:00Z';
  const billed = (amounts: Readonly<Record<string, number>>, choices: ReturnType<typeof chose>[] = []) => {
    const used = Object.entries(amounts).map(([meterId, amount]) =>
      uses(amount, MID_SEPTEMBER, { meterId, id: meterId }),
    );
    const lines = adjusted(several, held, used, SEPTEMBER, { choices });
    const caps = lines.flatMap(({ adjustment, amount }) =>
      adjustment === null
        ? []
        : [`${adjustment.words.replace(', 2026-09-01 to 2026-10-01', '')}: ${amount?.amountMinor ?? ''}`],
    );
    return { total: totalOf(lines), caps: caps.sort() };
  };

  test('is one of all meters that its product bills, and of each product apart', () => {
    expect(billed({ ops: 70, tasks: 50, calls: 60 })).toEqual({
      total: 14_000n,
      caps: [
        'Spend cap of extra: $40.00, used $60.00: -2000',
        'Spend cap of growth: $100.00, used $120.00: -2000',
      ],
    });
  });

  test('that an org has for one meter takes the meter out of no other cap', () => {
    // 80 of ops are 50; with 90 of tasks they are 140, and the plan's cap is 100.
    expect(billed({ ops: 80, tasks: 90 }, [chose(5_000n, ahead, { meterId: 'ops' })])).toEqual({
      total: 10_000n,
      caps: [
        'Own spend cap of ops: $50.00, used $80.00: -3000',
        'Spend cap of growth: $100.00, used $140.00: -4000',
      ],
    });
  });

  test('that an org has for all meters is over those of its products together', () => {
    // Calls are 40 of 60 by the add-on's cap; with 50 of ops they are 90.
    expect(billed({ ops: 50, calls: 60 }, [chose(5_000n, ahead)])).toEqual({
      total: 5_000n,
      caps: ['Own spend cap: $50.00, used $90.00: -4000', 'Spend cap of extra: $40.00, used $60.00: -2000'],
    });
  });

  test('all three at once: of a meter, of its product, of all; a meter with a cap of its own is under all', () => {
    const choices = [chose(11_000n, ahead), chose(6_000n, '2026-08-16T00:00:00Z', { meterId: 'ops' })];
    // Ops 60 of 80, with 70 of tasks 100 of 130, with 40 of calls 110 of 140.
    expect(billed({ ops: 80, tasks: 70, calls: 45 }, choices)).toEqual({
      total: 11_000n,
      caps: [
        'Own spend cap of ops: $60.00, used $80.00: -2000',
        'Own spend cap: $110.00, used $140.00: -3000',
        'Spend cap of extra: $40.00, used $45.00: -500',
        'Spend cap of growth: $100.00, used $130.00: -3000',
      ],
    });
  });
});

describe('what an org chose in the period', () => {
  // 2,000 over at $0.05 are $100.00.
  const over = (choices: ReturnType<typeof chose>[], terms: object = {}, events = [started()]) =>
    told_(month(terms, 2_000, { choices, events }));
  const BEFORE = '2026-08-20T00:00:00Z';
  const AN_HOUR_BEFORE_THE_END = '2026-09-30T23:00:00Z';
  const hardDefault = { stopPolicy: { default: 'hard' } };

  test.each<[string, ReturnType<typeof chose>[], object, string[]]>([
    ['a hard stop an hour before the end', [chose('hard', AN_HOUR_BEFORE_THE_END)], {}, ['usage 10000']],
    ['a cap of a cent an hour before the end', [chose(1n, AN_HOUR_BEFORE_THE_END)], {}, ['usage 10000']],
    ['for the meter alone', [chose('hard', AN_HOUR_BEFORE_THE_END, { meterId: 'ops' })], {}, ['usage 10000']],
    [
      'a hard stop after a soft one that was chosen',
      [chose('soft', BEFORE), chose('hard', AN_HOUR_BEFORE_THE_END)],
      hardDefault,
      ['usage 10000'],
    ],
    [
      'a lower cap after a higher: the higher',
      [chose(9_000n, BEFORE), chose(1n, MID_SEPTEMBER)],
      {},
      ['usage 10000', 'cap -1000'],
    ],
    [
      'a higher cap after a lower: the higher',
      [chose(1n, BEFORE), chose(9_000n, MID_SEPTEMBER)],
      {},
      ['usage 10000', 'cap -1000'],
    ],
    ['a cap that was taken back', [chose(1n, BEFORE), chose('default', MID_SEPTEMBER)], {}, ['usage 10000']],
    [
      'a soft stop up to a cap after a hard one: up to the cap',
      [chose('hard', BEFORE), chose(9_000n, MID_SEPTEMBER)],
      {},
      ['usage 10000', 'cap -1000'],
    ],
    ['hard all the time', [chose('hard', BEFORE), chose('hard', MID_SEPTEMBER)], {}, ['usage stopped']],
    ['hard from the first instant on', [chose('hard', '2026-09-01T00:00:00Z')], {}, ['usage stopped']],
    [
      'hard by the catalog, and by choice later',
      [chose('hard', MID_SEPTEMBER)],
      hardDefault,
      ['usage stopped'],
    ],
    [
      'soft when the period was over',
      [chose('hard', BEFORE), chose('soft', '2026-10-01T00:00:00Z')],
      {},
      ['usage stopped'],
    ],
    [
      'another meter’s',
      [chose('hard', BEFORE), chose('soft', MID_SEPTEMBER, { meterId: 'x' })],
      {},
      ['usage stopped'],
    ],
  ])('the most permissive decides what is billed: %s', (_, choices, terms, lines) => {
    expect(over(choices, terms)).toEqual(lines);
  });

  test('what was in force in a trial let through nothing that is billed', () => {
    const events = [started({ trialEndsAt: '2026-09-11T00:00:00Z' }, '2026-09-01T00:00:00Z')];
    expect(over([chose('hard', '2026-09-11T00:00:00Z')], {}, events)).toEqual(['usage stopped']);
  });
});

describe('a discount of the subscription', () => {
  test('reaches overages where its plan says so, and only there', () => {
    const events = [started(COUPON)];
    expect(told_(month(DISCOUNTED, 100, { events }))).toEqual(['usage 500', 'coupon -62']);
    expect(told_(month({}, 100, { events }))).toEqual(['usage 500']);
  });

  test.each([
    // 437.5 rounds to 438.
    ['one of 12.5%', [{ percentOff: '12.5' }], -62],
    // 500 × 0.8 × 0.9 = 360: they multiply.
    ['20% and 10%', [{ percentOff: 20 }, { percentOff: 10 }], -140],
    ['all of it', [{ percentOff: 100 }], -500],
    ['an amount off is of the recurring price alone', [{ amountOffMinor: '100' }], null],
    ['one that ended before the period did', [{ percentOff: 50, endsAt: '2026-09-30T00:00:00Z' }], null],
    ['one that ends with the period', [{ percentOff: 50, endsAt: '2026-10-01T00:00:00Z' }], -250],
  ])('%s', (_, discounts, coupon) => {
    const rated = month(DISCOUNTED, 100, { events: [started({ discounts })] });
    expect(told_(rated)).toEqual(['usage 500', ...(coupon === null ? [] : [`coupon ${coupon}`])]);
  });

  test('what stood at the last billed instant counts', () => {
    const canceled = told('canceled', '2026-09-20T00:00:00Z', null);
    const events = [started({ discounts: [{ percentOff: 50, endsAt: '2026-09-25T00:00:00Z' }] }), canceled];
    expect(told_(month({ ...DISCOUNTED }, 100_000, { events }))).toContain('coupon -250000');
  });
});

describe('a minimum commitment', () => {
  test.each([
    ['nothing used', 0, ['usage 0', 'commitment 7000']],
    ['used in part', 400, ['usage 2000', 'commitment 5000']],
    ['a cent short of it', 1_399.8, ['usage 6999', 'commitment 1']],
    ['reached exactly', 1_400, ['usage 7000']],
    ['exceeded', 1_500, ['usage 7500']],
  ])('%s', (_, over, lines) => {
    expect(told_(month(commitment(), String(over)))).toEqual(lines);
  });

  test('is owed where nothing is metered at all', () => {
    const catalog = catalogOf({ currencies: CURRENCIES, plans: { growth: plan(commitment()) } });
    expect(told_(adjusted(catalog, [started()], [], SEPTEMBER))).toEqual(['commitment 7000']);
  });

  test.each([
    // Anchored on the first: held for 15 of September's 30 days.
    ['by seconds where the plan says prorated', 'prorated', 3_500],
    ['whole where it says full', 'full', 7_000],
  ])('of a partial period, %s', (_, partialPeriod, amount) => {
    const events = [started({ billingAnchorAt: '2026-09-01T00:00:00Z' }, '2026-09-16T00:00:00Z')];
    const catalog = soldAs(commitment({ partialPeriod }));
    expect(told_(adjusted(catalog, events, [], SEPTEMBER))).toEqual(['usage 0', `commitment ${amount}`]);
  });

  test('is not owed for a trial, nor for what comes after the end', () => {
    const events = [
      started({ trialEndsAt: '2026-09-11T00:00:00Z' }, '2026-09-01T00:00:00Z'),
      told('canceled', '2026-09-21T00:00:00Z', null),
    ];
    // 10 of 30 days: $23.333… is $23.33.
    const rated = adjusted(soldAs(commitment()), events, [], SEPTEMBER);
    expect(told_(rated)).toEqual(['usage 0', 'commitment 2333']);
  });

  test('across a change of plans each owes its time, together rounded once', () => {
    const large = plan({ ...METERED, minimumCommitment: { amount: '100.01', currency: 'USD' } });
    const catalog = soldAs(commitment({ amount: '50.01' }), { large });
    const events = [started(), told('changed', '2026-09-16T00:00:00Z', [{ productId: 'large' }])];
    // 25.005 + 50.005 = 75.01; rounded apart they would be 75.02.
    expect(told_(adjusted(catalog, events, [], SEPTEMBER))).toEqual(['usage 0', 'commitment 7501']);
  });

  test('that the catalog has not in the currency is said, and not converted', () => {
    const catalog = soldAs({ minimumCommitment: { amount: '70.00', currency: 'USD' } });
    const [line] = adjusted(catalog, [started({ currency: 'JPY' })], [], SEPTEMBER).filter(
      ({ adjustment }) => adjustment !== null,
    );
    expect(line).toMatchObject({ status: 'unpriced', amount: null });
    expect(line?.reason).toContain('growth in JPY');
  });

  test('waits while some usage can not be rated: it might be less', () => {
    const unpriced = { ...commitment(), overage: {} };
    const rated = month(unpriced, 100);
    expect(told_(rated)).toEqual(['usage unpriced', 'commitment unrated']);
  });
});

describe('prepaid money', () => {
  const money = (creditId: string, amountMinor: string, more: object = {}, when?: { time: string }) =>
    granted(creditId, { amountMinor, currency: 'USD', ...more }, when);

  test('pays a commitment too', () => {
    const rated = month(commitment(), 0, { granted: [money('cr_1', '10000')] });
    expect(told_(rated)).toEqual(['usage 0', 'commitment 7000', 'credit cr_1 -7000']);
  });

  test('by priority, then what expires first, then the oldest, then by id; none stands for last', () => {
    const old = { time: '2026-07-01T00:00:00Z' };
    const credits = [
      money('cr_young', '100'),
      money('cr_old', '100', {}, old),
      money('cr_expiring', '100', { expiresAt: '2027-01-01T00:00:00Z' }),
      money('cr_expiring_first', '100', { expiresAt: '2026-12-01T00:00:00Z' }),
      money('cr_2', '100', { priority: 2 }),
      money('cr_1', '100', { priority: 1 }),
      money('cr_old_too', '100', {}, old),
    ];
    const order = ['cr_1', 'cr_2', 'cr_expiring_first', 'cr_expiring', 'cr_old', 'cr_old_too', 'cr_young'];
    for (let count = 1; count <= order.length; count += 1) {
      // $1.00 of each.
      const paid = month({}, count * 20, { granted: [...credits].reverse() });
      expect(paid.flatMap(({ adjustment }) => adjustment?.creditId ?? []).sort()).toEqual(
        order.slice(0, count).sort(),
      );
    }
  });

  test.each([
    ['granted in the period', {}, '2026-09-30T23:59:59Z', true],
    ['granted when it had ended', {}, '2026-10-01T00:00:00Z', false],
    ['expired before it ended', { expiresAt: '2026-09-30T23:59:59Z' }, '2026-08-01T00:00:00Z', false],
    ['expires as it ends', { expiresAt: '2026-10-01T00:00:00Z' }, '2026-08-01T00:00:00Z', true],
    ['in another currency', { currency: 'JPY' }, '2026-08-01T00:00:00Z', false],
  ])('%s', (_, data, time, pays) => {
    const rated = month({}, 100, { granted: [money('cr_1', '500', data, { time })] });
    expect(totalOf(rated)).toBe(pays ? 0n : 500n);
  });

  test('what other periods used is gone, and more than was granted takes nothing back here', () => {
    const key = creditUnitKey('org_1', 'cr_1', { kind: 'money', currency: 'USD' });
    const after = (used: bigint) =>
      totalOf(month({}, 100, { granted: [money('cr_1', '500')], spent: new Map([[key, decimalOf(used)]]) }));
    expect([after(0n), after(300n), after(500n), after(900n)]).toEqual([0n, 300n, 500n, 500n]);
  });

  test('one that is granted twice under its id counts once, as it was first', () => {
    const twice = [
      money('cr_1', '400', {}, { time: '2026-08-02T00:00:00Z' }),
      money('cr_1', '100', {}, { time: '2026-08-01T00:00:00Z' }),
    ];
    expect(totalOf(month({}, 100, { granted: twice }))).toBe(400n);
  });

  test('of one org pays for all of its subscriptions: first what ended first, then by id', () => {
    const second = told(
      'started',
      '2026-08-10T00:00:00Z',
      [{ productId: 'growth' }],
      {},
      { subscriptionId: 'sub_0' },
    );
    // Two that may hold the same: usage is sub_1's, the older; sub_0 ends on the 10th.
    const rated = adjusted(soldAs(commitment()), [started(), second], [], SEPTEMBER, {
      granted: [money('cr_1', '10000')],
    });
    const credits = rated.filter(({ adjustment }) => adjustment?.creditId === 'cr_1');
    expect(credits.map((one) => [one.subscriptionId, one.amount?.amountMinor]).sort()).toEqual([
      ['sub_0', -7_000n],
      ['sub_1', -3_000n],
    ]);
  });
});

describe('what the catalog assumes', () => {
  test('is paid by no credit where it is billed to nobody', () => {
    const assumed = {
      overage: { ops: { model: 'per_unit', amount: '0.05', currency: 'USD', assumed: true } },
      ...commitment({ assumed: true }),
    };
    const prepaid = { granted: [granted('cr_1', { amountMinor: '10000', currency: 'USD' })] };
    expect(told_(month(assumed, 100, prepaid))).toEqual([
      'usage 500',
      'commitment 6500',
      'credit cr_1 -7000',
    ]);
    expect(told_(month(assumed, 100, { ...prepaid, billsGuesses: false }))).toEqual([
      'usage 500',
      'commitment unrated',
    ]);
  });
});

describe('laws', () => {
  const anyTerms = fc.record({
    cap: fc.option(fc.integer({ min: 0, max: 9_000 })),
    minimum: fc.option(fc.integer({ min: 0, max: 9_000 })),
    percentOff: fc.option(fc.integer({ min: 1, max: 100 })),
    over: fc.integer({ min: 0, max: 3_000 }),
    money: fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 4 }),
    quantities: fc.array(fc.integer({ min: 0, max: 1_500 }), { maxLength: 3 }),
  });
  const dollars = (minor: number) => `${Math.floor(minor / 100)}.${String(minor % 100).padStart(2, '0')}`;
  type Terms = typeof anyTerms extends fc.Arbitrary<infer Value> ? Value : never;
  const rateTerms = ({ cap, minimum, percentOff, over, money, quantities }: Terms, reversed = false) => {
    const credits = [
      ...money.map((amountMinor, index) => granted(`m${index}`, { amountMinor, currency: 'USD' })),
      ...quantities.map((quantity, index) => granted(`q${index}`, { meter: 'ops', quantity })),
    ];
    const used = [uses(1000, '2026-09-02T00:00:00Z'), uses(over, MID_SEPTEMBER)];
    return adjusted(
      soldAs({
        ...DISCOUNTED,
        ...(cap === null ? {} : soft({ amount: dollars(cap), currency: 'USD' })),
        ...(minimum === null ? {} : { minimumCommitment: { amount: dollars(minimum), currency: 'USD' } }),
      }),
      [started(percentOff === null ? {} : { discounts: [{ percentOff }] })],
      reversed ? used.reverse() : used,
      SEPTEMBER,
      { granted: reversed ? credits.reverse() : credits },
    );
  };
  const sumOfKinds = (lines: readonly OverageLine[], ...kinds: readonly string[]) =>
    totalOf(lines.filter(({ adjustment }) => kinds.includes(adjustment?.kind ?? 'usage')));

  test('never below 0, never over the cap, the commitment reached exactly, no credit above what was granted', () => {
    fc.assert(
      fc.property(anyTerms, (terms) => {
        const lines = rateTerms(terms);
        const used = sumOfKinds(lines, 'usage', 'quantity_credit');
        const capped = used + sumOfKinds(lines, 'cap');
        const discounted = capped + sumOfKinds(lines, 'coupon');
        const committed = discounted + sumOfKinds(lines, 'commitment');
        expect(totalOf(lines) >= 0n && used >= 0n).toBe(true);
        if (terms.cap !== null) expect(capped <= BigInt(terms.cap)).toBe(true);
        const minimum = BigInt(terms.minimum ?? 0);
        expect(committed).toBe(discounted > minimum ? discounted : minimum);
        const granted_ = terms.money.reduce((sum, one) => sum + one, 0);
        const paid = -sumOfKinds(lines, 'credit');
        expect(paid).toBe(committed < BigInt(granted_) ? committed : BigInt(granted_));
        // At 5 cents each, what is prepaid of the quantity is worth 5 cents each.
        const prepaid = terms.quantities.reduce((sum, one) => sum + one, 0);
        expect(used).toBe(BigInt(5 * Math.max(0, terms.over - prepaid)));
      }),
    );
  });

  test('the order in which events come changes nothing', () => {
    fc.assert(
      fc.property(anyTerms, (terms) => {
        expect(rateTerms(terms, true)).toEqual(rateTerms(terms));
      }),
    );
  });

  test('over any sequence of re-ratings, a credit never pays more than was granted, and no month falls below 0', () => {
    const months = ['2026-08', '2026-09', '2026-10'];
    const key = creditUnitKey('org_1', 'cr_1', { kind: 'money', currency: 'USD' });
    const steps = fc.array(fc.record({ place: fc.nat({ max: 2 }), over: fc.integer({ min: 0, max: 400 }) }), {
      maxLength: 12,
    });
    const catalog = soldAs({});
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 3_000 }), (all, amountMinor) => {
        const ledger = [0n, 0n, 0n];
        for (const { place, over } of all) {
          const first = `${months[place] ?? ''}-01T00:00:00Z`;
          const next = `2026-${String(9 + place).padStart(2, '0')}-01T00:00:00Z`;
          const elsewhere = ledger.reduce((sum, paid, index) => (index === place ? sum : sum + paid), 0n);
          const lines = adjusted(
            catalog,
            [started()],
            [uses(1000, first), uses(over, first, { id: 'over' })],
            between(first, next),
            {
              granted: [granted('cr_1', { amountMinor, currency: 'USD' })],
              spent: new Map([[key, decimalOf(elsewhere)]]),
            },
          );
          expect(totalOf(lines) >= 0n).toBe(true);
          ledger[place] = -sumOfKinds(lines, 'credit');
          expect(ledger.reduce((sum, paid) => sum + paid, 0n) <= BigInt(amountMinor)).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });
});
