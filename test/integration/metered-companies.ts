import fc from 'fast-check';
import { catalogDocument, pack, plan } from '../support/rating.js';

/* One company in which every aggregation is worked out by hand, and many orgs whose histories are drawn. */

export const METERED_AS_OF = '2026-06-16T12:34:56Z';

const CENT = { model: 'per_unit', amount: '0.01', currency: 'USD' };
const meter = (eventType: string, aggregation: string, more: object = {}) => ({
  ...{ name: 'A meter', unit: 'unit', eventType, aggregation },
  stream: /^(session|install)/.test(eventType) ? 'installs' : 'executions',
  ...more,
});
const METERS = {
  people: meter('session.active', 'unique'),
  sessions: meter('session.active', 'count'),
  minutes: meter('session.active', 'sum', { key: 'minutes' }),
  installed: meter('install.created', 'unique', { key: 'packageId', filter: { channel: ['web', 'fair'] } }),
  callers: meter('usage.recorded', 'unique', { key: 'calls' }),
  runners: meter('execution.completed', 'unique'),
  workflows: meter('execution.completed', 'unique', { key: 'workflow', billsFailed: true }),
  seats: meter('usage.recorded', 'latest', { key: 'seats' }),
  storage: meter('usage.recorded', 'time_weighted', { key: 'storage' }),
  load: meter('execution.completed', 'time_weighted', { key: 'load' }),
};
const prices = Object.fromEntries(Object.keys(METERS).map((id) => [id, CENT]));
const included = (quantities: Readonly<Record<string, string>>, more: object = {}) =>
  Object.fromEntries(Object.entries(quantities).map(([id, quantity]) => [id, { quantity, ...more }]));

export const METERED_CATALOG = catalogDocument({
  meters: METERS,
  plans: {
    small: plan({ allowances: included({ people: '2', seats: '5', storage: '100' }), overage: prices }),
    large: plan({
      allowances: included({ people: '4', seats: '8', storage: '310', load: '1.5' }),
      overage: prices,
      ownKey: { allowed: true, uncountedMeters: ['runners', 'load'] },
    }),
    daily: plan({ allowances: included({ people: '1' }, { per: 'day' }), overage: prices }),
  },
  packages: {
    digest: pack({
      allowances: included({ people: '1', storage: '20' }, { perSeat: true }),
      overage: prices,
    }),
    report: pack({ overage: { seats: CENT, callers: CENT } }),
  },
});

type Data = Readonly<Record<string, unknown>>;

export function line(
  id: string,
  type: string,
  time: string,
  data: Data,
  subject = 'org_1',
  source = '/t',
): string {
  return JSON.stringify({ specversion: '1.0', id, source, type, subject, time, data });
}

export function subscribed(
  orgId: string,
  type: string,
  time: string,
  products: readonly string[],
  more: Data = {},
  subscriptionId = `sub_${orgId}`,
): string {
  const items = products.map((productId) => ({
    ...{ itemId: `si_${productId}`, productId, quantity: 2, unitAmountMinor: 4900 },
    ...{ kind: productId in METERED_PRODUCTS ? 'package' : 'plan', interval: 'month', intervalCount: 1 },
  }));
  const data = { subscriptionId, currency: 'USD', ...(items.length > 0 && { items }), ...more };
  return line(`${subscriptionId} ${type} ${time}`, `subscription.${type}`, time, data, orgId);
}
const METERED_PRODUCTS = { digest: true, report: true };

export const level = (id: string, time: string, meterId: string, quantity: string, orgId = 'org_1') =>
  line(id, 'usage.recorded', time, { meter: meterId, quantity }, orgId);
export const session = (id: string, time: string, userId: string, more: Data = {}, orgId = 'org_1') =>
  line(id, 'session.active', time, { userId, ...more }, orgId);
export const ran = (id: string, time: string, userId: string, more: Data = {}, orgId = 'org_1') =>
  line(
    id,
    'execution.completed',
    time,
    { executionId: id, packageId: 'digest', durationMs: 5, userId, ...more },
    orgId,
  );
export const correction = (id: string, targetType: string, targetId: string, data?: Data, orgId = 'org_1') =>
  line(
    id,
    data === undefined ? 'event.voided' : 'event.amended',
    '2026-04-20T00:00:00Z',
    { targetType, targetSource: '/t', targetId, reason: 'wrong', ...(data !== undefined && { data }) },
    orgId,
  );

/** Few instants, so that things happen at once; edges of months; and microseconds. */
const anyInstant = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.constantFrom('2026-02-01T00:00:00Z', '2026-03-01T00:00:00Z', '2026-04-30T23:59:59.999999Z'),
  },
  {
    weight: 5,
    arbitrary: fc
      .tuple(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 28 }),
        fc.constantFrom('00:00:00', '07:30:00', '23:59:59.999999'),
      )
      .map(
        ([month, day, time]) =>
          `2026-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}T${time}Z`,
      ),
  },
);
const quantity = fc.constantFrom(
  '0',
  '1',
  '2.5',
  '7',
  '40',
  '333.333333333333',
  '1000000000',
  '0.000000000001',
);
const user = fc.constantFrom('ada', 'bob', 'cyd', 'ä');
const packageId = fc.constantFrom('digest', 'report', 'other');
const maybe = (value: fc.Arbitrary<unknown>) => fc.option(value, { nil: undefined });

const anyUsage = fc.oneof(
  fc.record({
    type: fc.constant('usage.recorded'),
    data: fc.record({
      meter: fc.constantFrom('seats', 'storage', 'calls'),
      ...{ quantity, unique: maybe(user), packageId: maybe(packageId) },
    }),
  }),
  fc.record({
    type: fc.constant('session.active'),
    data: fc.record({ userId: user, minutes: fc.constantFrom('1.5', 2, 'abc', undefined, '-3', '1e3') }),
  }),
  fc.record({
    type: fc.constant('install.created'),
    data: fc.record({
      installId: user,
      packageId,
      channel: fc.constantFrom('web', 'fair', 'mail', undefined),
    }),
  }),
  fc.record({
    type: fc.constantFrom('execution.completed', 'execution.failed'),
    data: fc.record({
      ...{
        executionId: user,
        packageId,
        durationMs: fc.constant(1),
        userId: maybe(user),
        workflow: maybe(user),
      },
      ...{ byoKey: maybe(fc.boolean()), usage: maybe(fc.record({ load: quantity })) },
    }),
  }),
);
const anyChange = fc.record({
  type: fc.constantFrom('changed', 'changed', 'changed', 'paused', 'resumed'),
  time: anyInstant,
  products: fc.uniqueArray(fc.constantFrom('small', 'large', 'daily', 'digest', 'report'), {
    minLength: 1,
    maxLength: 3,
  }),
  trialEndsAt: fc.option(anyInstant, { nil: undefined, freq: 6 }),
});
const anySubscription = fc.record({
  first: anyChange,
  changes: fc.array(anyChange, { maxLength: 4 }),
  canceledAt: fc.option(anyInstant, { nil: undefined, freq: 5 }),
});
const anyHistory = fc.record({
  subscriptions: fc.array(anySubscription, { minLength: 1, maxLength: 2 }),
  used: fc.array(
    fc.record({ usage: anyUsage, time: anyInstant, source: fc.constantFrom('/t', '/u'), fault: fc.nat(20) }),
    { minLength: 5, maxLength: 45, size: 'max' },
  ),
});

/** Histories of orgs with several subscriptions each, usage of all kinds in no order, corrections. */
export function meteredHistories(seed: number, orgs: number): string[] {
  return fc.sample(anyHistory, { numRuns: orgs, seed }).flatMap(({ subscriptions, used }, n) => {
    const orgId = `drawn_${n}`;
    const told = subscriptions.flatMap(({ first, changes, canceledAt }, index) => {
      const id = `sub_${n}_${index}`;
      const [begins = first, ...rest] = [first, ...changes].sort((a, b) => (a.time < b.time ? -1 : 1));
      const more = ({ trialEndsAt }: typeof first) => (trialEndsAt === undefined ? {} : { trialEndsAt });
      return [
        subscribed(orgId, 'started', begins.time, begins.products, more(begins), id),
        ...rest.map((change, place) =>
          subscribed(
            orgId,
            change.type,
            change.time,
            change.products,
            { ...more(change), place },
            id,
          ).replace(`"id":"`, `"id":"${place} `),
        ),
        ...(canceledAt !== undefined && canceledAt > begins.time
          ? [subscribed(orgId, 'canceled', canceledAt, [], {}, id)]
          : []),
      ];
    });
    const usage = used.flatMap(({ usage: { type, data }, time, source, fault }, index) => {
      const id = `${orgId} ${index}`;
      const sent = line(id, type, time, data, orgId, source);
      const target = { targetType: type, targetSource: source, targetId: id, reason: 'wrong' };
      if (fault === 0) return [sent, line(`${id} void`, 'event.voided', time, target, orgId)];
      if (fault !== 1) return [sent, ...(fault === 2 ? [sent] : [])];
      const changed = {
        ...data,
        ...('quantity' in data && { quantity: '12' }),
        ...('userId' in data && { userId: 'eve' }),
      };
      return [sent, line(`${id} amend`, 'event.amended', time, { ...target, data: changed }, orgId)];
    });
    return [...told, ...usage];
  });
}
