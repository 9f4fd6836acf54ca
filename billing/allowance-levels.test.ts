import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addMonths, formatDate, formatInstant, parseDate } from '../core/time.js';
import { between, catalogOf, plan, rate, summary, told, uses } from '../test/support/rating.js';

const APRIL = between('2026-04-01T00:00:00Z', '2026-05-01T00:00:00Z');
const MARCH = between('2026-03-01T00:00:00Z', '2026-04-01T00:00:00Z');
/** $2.00 per 100. */
const PRICED = { ops: { model: 'per_block', amount: '2.00', currency: 'USD', block: '100' } };
const starter = plan({ allowances: { ops: { quantity: '1000' } }, overage: PRICED });
const pro = plan({ allowances: { ops: { quantity: '4000' } }, overage: PRICED });
const catalog = catalogOf({ plans: { starter, pro } });
const STARTER = [{ productId: 'starter' }];

function lines(...input: Parameters<typeof rate>): string[] {
  return rate(...input).lines.map(summary);
}

describe('a change inside a period', () => {
  const used = [uses(4000, '2026-04-02T00:00:00Z')];

  test('allowances add up by seconds', () => {
    // 10 March to 10 April is 31 days: 10 of them at 1,000 and 21 at 4,000 are 94,000 ÷ 31 = 3,032.258064516129.
    const events = [
      told('started', '2026-03-10T00:00:00Z', STARTER),
      told('changed', '2026-03-20T00:00:00Z', [{ productId: 'pro' }]),
    ];
    // 967.741935483871 over at 2 cents: 1,935.48 cents.
    expect(lines(catalog, events, used, APRIL)).toEqual([
      '4000 of 3032.258064516129, 967.741935483871 over: 1935 USD, due',
    ]);
  });

  test('a change of nothing changes nothing', () => {
    const events = [
      told('started', '2026-03-10T00:00:00Z', STARTER),
      ...['2026-03-12T03:04:05Z', '2026-03-19T17:00:00Z', '2026-04-01T00:00:00.000001Z'].map((time) =>
        told('changed', time, STARTER),
      ),
    ];
    expect(lines(catalog, events, used, APRIL)).toEqual(['4000 of 1000, 3000 over: 6000 USD, due']);
  });

  test('nor do any number of them, at whatever instants, in a period of any length', () => {
    const day = fc.integer({ min: 1, max: 28 });
    const instant = fc
      .tuple(day, fc.integer({ min: 0, max: 86_399_999 }))
      .map(([of, ms]) => new Date(Date.UTC(2026, 2, of) + ms).toISOString());
    fc.assert(
      fc.property(fc.array(instant, { maxLength: 6 }), instant, (changes, anchor) => {
        const events = [
          told('started', '2025-12-01T00:00:00Z', STARTER, { billingAnchorAt: anchor }),
          ...changes.map((time) => told('changed', time, STARTER)),
        ];
        const rated = rate(catalog, events, [uses(5000, '2026-03-28T12:00:00Z')], {
          ...MARCH,
          end: APRIL.end,
        });
        expect(rated.lines.map(({ included }) => included)).toEqual(['1000']);
      }),
    );
  });

  test('seats are counted for as long as they are held', () => {
    const perSeat = catalogOf({
      plans: {
        starter: plan({
          perSeat: true,
          allowances: { ops: { quantity: '310', perSeat: true } },
          overage: PRICED,
        }),
      },
    });
    const events = [
      told('started', '2026-03-10T00:00:00Z', [{ productId: 'starter', quantity: 2 }]),
      told('changed', '2026-03-30T00:00:00Z', [{ productId: 'starter', quantity: 5 }]),
    ];
    // 310 ÷ 31 is 10 per seat and day: 20 days of 2 seats are 400, 11 of 5 are 550.
    expect(lines(perSeat, events, used, APRIL)).toEqual(['4000 of 950, 3050 over: 6100 USD, due']);
  });

  test('a level is held against what was allowed at that time, never a share of it', () => {
    const meters = {
      storage: {
        name: 'Storage',
        unit: 'GB',
        stream: 'executions',
        eventType: 'usage.recorded',
        key: 'storage',
        aggregation: 'max',
      },
    };
    const sells = (quantity: string) =>
      plan({
        allowances: { storage: { quantity } },
        overage: { storage: { model: 'per_unit', amount: '1.00', currency: 'USD' } },
      });
    const stored = catalogOf({ meters, plans: { starter: sells('100'), pro: sells('500') } });
    const events = [
      told('started', '2026-03-10T00:00:00Z', STARTER),
      told('changed', '2026-03-20T00:00:00Z', [{ productId: 'pro' }]),
    ];
    const gb = (quantity: number, time: string) => uses(quantity, time, { meterId: 'storage' });
    // 450 in a month that averages 371 is fine: by then 500 were allowed.
    expect(
      lines(stored, events, [gb(90, '2026-03-11T00:00:00Z'), gb(450, '2026-04-01T00:00:00Z')], APRIL),
    ).toEqual([]);
    expect(
      lines(stored, events, [gb(130, '2026-03-11T00:00:00Z'), gb(450, '2026-04-01T00:00:00Z')], APRIL),
    ).toEqual(['130 of 100, 30 over: 3000 USD, due']);
  });

  test('without limit for a while is without limit for the period', () => {
    const mixed = catalogOf({
      plans: { starter, free_for_all: plan({ allowances: { ops: { unlimited: true } } }) },
    });
    const events = [
      told('started', '2026-03-10T00:00:00Z', STARTER),
      told('changed', '2026-04-09T00:00:00Z', [{ productId: 'free_for_all' }]),
    ];
    expect(lines(mixed, events, used, APRIL)).toEqual([]);
  });
});

describe('time that is not billed', () => {
  test('a trial is free, and the rest of its period has the rest of its allowance', () => {
    // Trial to 25 March: 16 of 31 days remain, 16,000 ÷ 31 = 516.129032258065.
    const trial = told('started', '2026-03-10T00:00:00Z', STARTER, {
      status: 'trialing',
      trialEndsAt: '2026-03-25T00:00:00Z',
    });
    const used = [uses(9000, '2026-03-24T23:59:59Z'), uses(600, '2026-03-25T00:00:00Z')];
    expect(lines(catalog, [trial], used, APRIL)).toEqual([
      '600 of 516.129032258065, 83.870967741935 over: 168 USD, due',
    ]);
  });

  test('or the whole of it, where the plan gives a partial first period in full', () => {
    const generous = catalogOf({ plans: { starter: { ...starter, firstPeriod: 'full' } } });
    const trial = told('started', '2026-03-10T00:00:00Z', STARTER, {
      status: 'trialing',
      trialEndsAt: '2026-03-25T00:00:00Z',
    });
    expect(lines(generous, [trial], [uses(1100, '2026-03-26T00:00:00Z')], APRIL)).toEqual([
      '1100 of 1000, 100 over: 200 USD, due',
    ]);
  });

  test('a subscription anchored on the first, begun on the 16th, has a partial first period', () => {
    // 15 of April's 30 days: half of 1,000.
    const events = [
      told('started', '2026-04-16T00:00:00Z', STARTER, { billingAnchorAt: '2026-05-01T00:00:00Z' }),
    ];
    const used = [uses(600, '2026-04-20T00:00:00Z')];
    expect(lines(catalog, events, used, APRIL)).toEqual(['600 of 500, 100 over: 200 USD, due']);
    const generous = catalogOf({ plans: { starter: { ...starter, firstPeriod: 'full' } } });
    expect(lines(generous, events, used, APRIL)).toEqual([]);
    // The second period is a whole one under both.
    const MAY = between('2026-05-01T00:00:00Z', '2026-06-01T00:00:00Z');
    for (const one of [catalog, generous]) {
      expect(lines(one, events, [uses(1100, '2026-05-05T00:00:00Z')], MAY)).toEqual([
        '1100 of 1000, 100 over: 200 USD, due',
      ]);
    }
  });

  test('usage in a pause or after the end is not billed, and takes nothing back that had been paid for', () => {
    const started = told('started', '2026-03-10T00:00:00Z', STARTER);
    const used = [
      uses(1100, '2026-03-15T00:00:00Z'),
      uses(9000, '2026-03-20T00:00:00Z'),
      uses(50, '2026-04-09T00:00:00Z'),
    ];
    const canceled = told('canceled', '2026-03-18T00:00:00Z', null);
    expect(lines(catalog, [started, canceled], used, APRIL)).toEqual([
      '1100 of 1000, 100 over: 200 USD, due',
    ]);
    const paused = told('paused', '2026-03-18T00:00:00Z', null);
    const resumed = told('resumed', '2026-04-01T00:00:00Z', STARTER);
    expect(lines(catalog, [started, paused, resumed], used, APRIL)).toEqual([
      '1150 of 1000, 150 over: 300 USD, due',
    ]);
    const unpaid = told('changed', '2026-03-18T00:00:00Z', STARTER, { status: 'unpaid' });
    expect(lines(catalog, [started, unpaid], used, APRIL)).toEqual(['1100 of 1000, 100 over: 200 USD, due']);
  });

  test('nothing of a period that began after the end', () => {
    const events = [
      told('started', '2026-01-10T00:00:00Z', STARTER),
      told('canceled', '2026-03-10T00:00:00Z', null),
    ];
    expect(rate(catalog, events, [uses(5000, '2026-03-11T00:00:00Z')], APRIL).questions).toEqual([]);
  });

  test('past due is billed on', () => {
    const events = [told('started', '2026-03-10T00:00:00Z', STARTER, { status: 'past_due' })];
    expect(lines(catalog, events, [uses(1100, '2026-03-11T00:00:00Z')], APRIL)).toHaveLength(1);
  });
});

describe('allowances per day', () => {
  const daily = plan({
    allowances: { ops: { quantity: '100', per: 'day' } },
    overage: { ops: { model: 'per_unit', amount: '0.01', currency: 'USD' } },
  });
  const berlin = catalogOf({ zone: 'Europe/Berlin', plans: { starter: daily, pro: daily } });
  const started = told('started', '2026-03-09T23:00:00Z', STARTER);

  test('each day has its own: what one leaves unused helps no other', () => {
    const used = [
      uses(90, '2026-03-10T12:00:00Z'),
      uses(130, '2026-03-11T12:00:00Z'),
      // 22:30 and 23:30 UTC are two days in Berlin in winter: 80 on the 12th, 80 on the 13th.
      uses(80, '2026-03-12T22:30:00Z'),
      uses(80, '2026-03-12T23:30:00Z'),
    ];
    // 31 days of 100 are included, 380 are used, 30 are over all the same.
    expect(lines(berlin, [started], used, APRIL)).toEqual(['380 of 3100, 30 over: 30 USD, due']);
  });

  test('the day on which clocks go forward has 23 hours and one allowance', () => {
    // 29 March 2026 in Berlin: from 23:00 to 22:00 UTC.
    const used = [
      uses(60, '2026-03-28T23:00:00Z'),
      uses(60, '2026-03-29T21:59:59Z'),
      uses(100, '2026-03-29T22:00:00Z'),
    ];
    expect(lines(berlin, [started], used, APRIL)).toEqual(['220 of 3100, 20 over: 20 USD, due']);
  });

  test('a change at noon does not double the day', () => {
    const changed = told('changed', '2026-03-20T11:00:00Z', [{ productId: 'pro' }]);
    const used = [uses(80, '2026-03-20T08:00:00Z'), uses(80, '2026-03-20T15:00:00Z')];
    expect(lines(berlin, [started, changed], used, APRIL)).toEqual(['160 of 3100, 60 over: 60 USD, due']);
  });

  test('what a day does not cover is set against the allowance of the period', () => {
    const both = catalogOf({
      plans: { starter: daily },
      addons: {
        extra: {
          name: 'Extra',
          kind: 'support',
          price: { amount: '5.00', currency: 'USD', interval: 'month' },
          allowances: { ops: { quantity: '50' } },
        },
      },
    });
    const events = [
      told('started', '2026-03-10T00:00:00Z', [
        { productId: 'starter' },
        { kind: 'addon', productId: 'extra' },
      ]),
    ];
    const used = [uses(140, '2026-03-11T12:00:00Z'), uses(130, '2026-03-12T12:00:00Z')];
    expect(lines(both, events, used, APRIL)).toEqual(['270 of 3150, 20 over: 20 USD, due']);
  });
});

describe('where periods are', () => {
  const monthsOf = (anchor: string, zone: string, count: number, first: string) => {
    const zoned = catalogOf({ zone, plans: { starter } });
    const events = [told('started', anchor, STARTER)];
    return Array.from({ length: count }, (_, index) => {
      const month = addMonths(parseDate(first), index);
      const ending = between(
        `${formatDate(month)}T00:00:00Z`,
        `${formatDate(addMonths(month, 1))}T00:00:00Z`,
      );
      return rate(zoned, events, [], ending).questions.map(
        ({ metered }) => `${formatInstant(metered.start)} ${formatInstant(metered.end)}`,
      );
    }).flat();
  };

  test('anchored on the 31st they end with each month, and come back to the 31st', () => {
    expect(monthsOf('2026-01-31T00:00:00Z', 'UTC', 4, '2026-02-01')).toEqual([
      '2026-01-31T00:00:00Z 2026-02-28T00:00:00Z',
      '2026-02-28T00:00:00Z 2026-03-31T00:00:00Z',
      '2026-03-31T00:00:00Z 2026-04-30T00:00:00Z',
      '2026-04-30T00:00:00Z 2026-05-31T00:00:00Z',
    ]);
  });

  test('across summer time they keep the wall clock of the catalog’s zone', () => {
    // Midnight in New York is 05:00 UTC in winter and 04:00 from 8 March 2026 on.
    expect(monthsOf('2026-02-15T05:00:00Z', 'America/New_York', 3, '2026-03-01')).toEqual([
      '2026-02-15T05:00:00Z 2026-03-15T04:00:00Z',
      '2026-03-15T04:00:00Z 2026-04-15T04:00:00Z',
      '2026-04-15T04:00:00Z 2026-05-15T04:00:00Z',
    ]);
  });

  test('a change that names another anchor ends the period, and allowances with it by seconds', () => {
    const events = [
      told('started', '2026-03-10T00:00:00Z', STARTER),
      told('changed', '2026-03-20T00:00:00Z', [{ productId: 'pro' }], {
        billingAnchorAt: '2026-03-20T00:00:00Z',
      }),
    ];
    const used = [uses(400, '2026-03-12T00:00:00Z'), uses(4100, '2026-03-20T00:00:00Z')];
    // 10 of 31 days: 322.580645161290; 77.41935483871 over are 154.84 cents.
    expect(lines(catalog, events, used, MARCH)).toEqual([
      '400 of 322.58064516129, 77.41935483871 over: 155 USD, due',
    ]);
    expect(lines(catalog, events, used, APRIL)).toEqual(['4100 of 4000, 100 over: 200 USD, due']);
  });
});
