import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatInstant } from '../core/time.js';
import { told } from '../test/support/rating.js';
import { subscriptionsOf, type SubscriptionEvent } from './subscription-timeline.js';

const STARTER = [{ productId: 'starter', quantity: 2 }];

function statesOf(...events: SubscriptionEvent[]): string[] {
  return subscriptionsOf(events).flatMap(({ states }) =>
    states.map(({ from, to, isBillable, items }) => {
      const until = to === null ? 'on' : formatInstant(to).slice(0, 10);
      const held = items.map(({ productId, quantity }) => `${quantity} ${productId}`).join(' + ');
      return `${formatInstant(from).slice(0, 10)} to ${until}: ${isBillable ? 'billed' : 'free'} ${held}`.trim();
    }),
  );
}

test('a state lasts until the next, whatever the order in which they are told', () => {
  const events = [
    told('canceled', '2026-03-01T00:00:00Z', null),
    told('started', '2026-01-01T00:00:00Z', STARTER),
    told('changed', '2026-02-01T00:00:00Z', [{ productId: 'pro' }]),
  ];
  expect(statesOf(...events)).toEqual([
    '2026-01-01 to 2026-02-01: billed 2 starter',
    '2026-02-01 to 2026-03-01: billed 1 pro',
    '2026-03-01 to on: free',
  ]);
});

test('what takes effect later or earlier than it was told goes by when it takes effect', () => {
  expect(
    statesOf(
      told('started', '2026-01-10T00:00:00Z', STARTER, { effectiveAt: '2026-01-01T00:00:00Z' }),
      told('changed', '2026-01-15T00:00:00Z', [{ productId: 'pro' }], {
        effectiveAt: '2026-02-01T00:00:00Z',
      }),
      told('changed', '2026-01-20T00:00:00Z', [{ productId: 'other' }]),
    ),
  ).toEqual([
    '2026-01-01 to 2026-01-20: billed 2 starter',
    '2026-01-20 to 2026-02-01: billed 1 other',
    '2026-02-01 to on: billed 1 pro',
  ]);
});

test('of two at one instant the later in (time, source, id) stands', () => {
  const data = { effectiveAt: '2026-01-01T00:00:00Z' };
  const first = told('started', '2026-01-01T00:00:00Z', STARTER, data);
  const told_later = told('changed', '2026-01-02T00:00:00Z', [{ productId: 'pro' }], data);
  const same = { ...first, type: 'subscription.changed', eventId: 'zz', data: told_later.data };
  expect(statesOf(told_later, first)).toEqual(['2026-01-01 to on: billed 1 pro']);
  expect(statesOf(same, first)).toEqual(['2026-01-01 to on: billed 1 pro']);
});

test('a trial is free until its end, also where nobody tells that it ended', () => {
  const trial = { status: 'trialing', trialEndsAt: '2026-01-15T00:00:00Z' };
  expect(statesOf(told('started', '2026-01-01T00:00:00Z', STARTER, trial))).toEqual([
    '2026-01-01 to 2026-01-15: free 2 starter',
    '2026-01-15 to on: billed 2 starter',
  ]);
  // Canceled at its very end, it was never billed.
  const canceled = told('canceled', '2026-01-15T00:00:00Z', null);
  expect(statesOf(told('started', '2026-01-01T00:00:00Z', STARTER, trial), canceled)).toEqual([
    '2026-01-01 to 2026-01-15: free 2 starter',
    '2026-01-15 to on: free',
  ]);
  // A trial without an end is one until told otherwise.
  expect(statesOf(told('started', '2026-01-01T00:00:00Z', STARTER, { status: 'trialing' }))).toEqual([
    '2026-01-01 to on: free 2 starter',
  ]);
});

test.each(['incomplete', 'unpaid', 'paused'])('%s is not billed, and holds what it holds', (status) => {
  expect(statesOf(told('started', '2026-01-01T00:00:00Z', STARTER, { status }))).toEqual([
    '2026-01-01 to on: free 2 starter',
  ]);
});

test('a pause that names no items goes on holding what was held', () => {
  const paused = told('paused', '2026-02-01T00:00:00Z', null);
  expect(statesOf(told('started', '2026-01-01T00:00:00Z', STARTER), paused)).toEqual([
    '2026-01-01 to 2026-02-01: billed 2 starter',
    '2026-02-01 to on: free 2 starter',
  ]);
});

test('quantities are read exactly, long ones and fractions', () => {
  const long = told('started', '2026-01-01T00:00:00Z', STARTER);
  const data = long.data.replace('"quantity":2', '"quantity":123456789012345678.000000000001');
  expect(statesOf({ ...long, data })).toEqual([
    '2026-01-01 to on: billed 123456789012345678.000000000001 starter',
  ]);
});

test('periods count from the start, or the anchor named; a change without one moves none', () => {
  const cycles = (...events: SubscriptionEvent[]) =>
    subscriptionsOf(events).flatMap((one) =>
      one.cycles.map(
        ({ from, anchor }) => `${formatInstant(from).slice(0, 10)} by ${formatInstant(anchor).slice(0, 10)}`,
      ),
    );
  const named = (day: string) => ({ billingAnchorAt: `2026-${day}T00:00:00Z` });
  const start = told('started', '2026-01-05T00:00:00Z', STARTER);
  const changed = told('changed', '2026-02-07T00:00:00Z', STARTER);
  expect(cycles(start, changed)).toEqual(['2026-01-05 by 2026-01-05']);
  expect(cycles(told('started', '2026-01-05T00:00:00Z', STARTER, named('02-01')), changed)).toEqual([
    '2026-01-05 by 2026-02-01',
  ]);
  expect(cycles(start, told('changed', '2026-02-07T00:00:00Z', STARTER, named('02-07')), changed)).toEqual([
    '2026-01-05 by 2026-01-05',
    '2026-02-07 by 2026-02-07',
  ]);
  const back = told('started', '2026-05-09T00:00:00Z', STARTER);
  expect(cycles(start, told('canceled', '2026-03-01T00:00:00Z', null), back)).toEqual([
    '2026-01-05 by 2026-01-05',
    '2026-05-09 by 2026-05-09',
  ]);
});

test('ids that could be confused when joined are kept apart', () => {
  const apart = [
    told('started', '2026-01-01T00:00:00Z', STARTER, {}, { orgId: 'a', subscriptionId: 'b c' }),
    told('started', '2026-01-01T00:00:00Z', STARTER, {}, { orgId: 'a b', subscriptionId: 'c' }),
  ];
  expect(subscriptionsOf(apart)).toHaveLength(2);
});

test('states follow one another without gap or overlap, from the first to the open end', () => {
  const time = fc
    .integer({ min: 0, max: 300 })
    .map((day) => new Date(Date.UTC(2026, 0, 1 + day)).toISOString());
  const event = fc.tuple(
    fc.constantFrom('started', 'changed', 'paused', 'canceled'),
    time,
    fc.option(time, { nil: undefined }),
  );
  fc.assert(
    fc.property(fc.array(event, { minLength: 1, maxLength: 8 }), (list) => {
      const events = list.map(([type, at, trialEndsAt], index) => ({
        ...told(type, at, STARTER, { trialEndsAt }),
        eventId: String(index),
      }));
      const [one] = subscriptionsOf(events);
      const states = one?.states ?? [];
      expect(states[0]?.from).toBe(one?.startedAt);
      expect(states.at(-1)?.to).toBeNull();
      for (const [index, state] of states.entries()) {
        if (state.to !== null) expect(state.to).toBe(states[index + 1]?.from);
        expect(state.to === null || state.to > state.from).toBe(true);
      }
    }),
  );
});
