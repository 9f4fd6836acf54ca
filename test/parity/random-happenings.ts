import fc from 'fast-check';
import type { Catalog } from '../../core/catalog.js';

export const MONTHS = ['2026-01', '2026-02', '2026-03', '2026-04', '2026-05', '2026-06', '2026-07'] as const;

/** Few instants, so that things happen at once; edges of months, of days elsewhere, of clocks that change; and microseconds. */
const anyInstant = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...MONTHS.map((month) => `${month}-01T00:00:00Z`)) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '2026-01-31T23:59:59.999999Z',
      '2026-02-28T19:00:00-05:00',
      '2026-03-08T06:59:59Z',
      '2026-03-08T07:00:00Z',
      '2026-03-31T23:00:00+14:00',
      '2026-04-01T04:00:00Z',
      '2026-06-16T12:34:56Z',
      '2026-06-16T12:34:55.999999Z',
    ),
  },
  {
    weight: 8,
    arbitrary: fc
      .tuple(fc.constantFrom(...MONTHS.slice(0, 6)), fc.integer({ min: 1, max: 28 }), fc.nat(86_399))
      .map(([month, day, second]) => {
        const at = new Date(`${month}-${String(day).padStart(2, '0')}T00:00:00Z`).getTime() + second * 1000;
        return new Date(at).toISOString().replace('.000Z', 'Z');
      }),
  },
);
const anyDate = anyInstant.map((instant) => new Date(instant).toISOString().slice(0, 10));
const maybe = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.option(arbitrary, { nil: undefined });
const currency = fc.constantFrom('USD', 'USD', 'EUR', 'JPY');
/** Sizes at which roundings, ties and 32-bit sums would show; as a number or as digits. */
const minor = fc
  .oneof(
    fc.integer({ min: 0, max: 20 }),
    fc.integer({ min: 0, max: 100_000 }),
    fc.constantFrom(1, 5, 99, 4_999, 2_147_483_648),
  )
  .chain((amount) => fc.constantFrom<number | string>(amount, String(amount)));
const quantity = fc.constantFrom<number | string>(
  1,
  2,
  3,
  '7',
  '0',
  '0.5',
  '2.25',
  '0.000000000001',
  '12.345',
);

export type Data = Readonly<Record<string, unknown>>;
export interface Happening {
  readonly type: string;
  readonly time: string;
  readonly data: Data;
}
type AnyHappening = fc.Arbitrary<Happening>;

const happens = (type: string | fc.Arbitrary<string>, data: fc.Arbitrary<Data>): AnyHappening =>
  fc.record({ type: typeof type === 'string' ? fc.constant(type) : type, time: anyInstant, data });

const weighted = (...parts: readonly (readonly [number, AnyHappening])[]): AnyHappening =>
  fc.oneof(...parts.map(([weight, arbitrary]) => ({ weight, arbitrary })));

/** What arbitraries draw from: the catalog's names, and this org's ids (`sub_7_0`, `sub_7_1`). */
interface Scene {
  readonly catalog: Catalog;
  readonly packageId: fc.Arbitrary<string>;
  readonly partnerId: fc.Arbitrary<string>;
  readonly segment: fc.Arbitrary<string>;
  readonly channel: fc.Arbitrary<string>;
  readonly id: (name: string, count: number) => fc.Arbitrary<string>;
}

/** What one org may go through: drawn a few times, in any order of time. Mostly one thing, at times a few that belong together. */
export function happeningsOf(catalog: Catalog, org: string): fc.Arbitrary<readonly Happening[]> {
  const scene: Scene = {
    catalog,
    packageId: fc.constantFrom(...Object.keys(catalog.packages)),
    partnerId: fc.constantFrom('par_1', 'par_2'),
    segment: fc.constantFrom(...Object.keys(catalog.segments), 'unheard of'),
    channel: fc.constantFrom(...Object.keys(catalog.channels), 'café ☕'),
    id: (name, count) => fc.nat(count - 1).map((n) => `${name}_${org}_${n}`),
  };
  const one = weighted(
    [8, subscriptions(scene)],
    [8, invoices(scene)],
    [7, installs(scene)],
    [4, executions(scene)],
    [3, orgs(scene)],
    [6, sales(scene)],
  );
  return fc.oneof(
    { weight: 12, arbitrary: one.map((happening) => [happening]) },
    { weight: 1, arbitrary: resale(scene) },
  );
}

function itemOf({ catalog }: Scene) {
  const products: (readonly [string, string])[] = [
    ...Object.keys(catalog.packages).map((id) => ['package', id] as const),
    ...Object.keys(catalog.bundles).map((id) => ['bundle', id] as const),
    ...Object.keys(catalog.plans).map((id) => ['plan', id] as const),
    ...Object.keys(catalog.addons).map((id) => ['addon', id] as const),
    ['plan', 'not in the catalog'],
  ];
  return fc
    .record({
      product: fc.constantFrom(...products),
      quantity,
      unitAmountMinor: minor,
      interval: fc.constantFrom('week', 'month', 'quarter', 'year'),
      intervalCount: fc.constantFrom(1, 1, 1, 2, 3),
    })
    .map(({ product: [kind, productId], ...rest }) => ({
      itemId: `si_${productId}`,
      kind,
      productId,
      ...rest,
    }));
}

function subscriptions(scene: Scene): AnyHappening {
  const percentOff = fc.constantFrom<number | string>(10, 33, '12.5', 100);
  const discount = fc.oneof(
    fc.record({ percentOff, endsAt: maybe(anyInstant) }),
    fc.record({ amountOffMinor: minor, endsAt: maybe(anyInstant) }),
  );
  const state = fc.record({
    subscriptionId: scene.id('sub', 2),
    currency,
    status: maybe(
      fc.constantFrom(
        'active',
        'active',
        'trialing',
        'past_due',
        'incomplete',
        'unpaid',
        'paused',
        'canceled',
      ),
    ),
    items: fc.uniqueArray(itemOf(scene), { minLength: 1, maxLength: 3, selector: ({ itemId }) => itemId }),
    discounts: maybe(fc.array(discount, { maxLength: 2 })),
    trialEndsAt: maybe(anyInstant),
    effectiveAt: maybe(anyInstant),
  });
  const begins = fc.constantFrom('subscription.started', 'subscription.changed', 'subscription.resumed');
  const ends = fc.constantFrom('subscription.paused', 'subscription.canceled');
  return weighted([3, happens(begins, state)], [1, happens(ends, state)]);
}

function invoices({ id, packageId }: Scene): AnyHappening {
  const invoiceId = id('inv', 3);
  const cash = fc.record({ invoiceId, currency: fc.constant('USD'), amountMinor: minor });
  const dispute = withId(cash, 'disputeId', id('dis', 2)).map((data) => ({ ...data, outcome: 'lost' }));
  return weighted(
    [3, happens('invoice.finalized', invoiceOf(invoiceId, packageId))],
    [3, happens('invoice.paid', withId(cash, 'paymentId', id('pay', 4)))],
    [1, happens('invoice.refunded', withId(cash, 'refundId', id('ref', 2)))],
    [1, happens(fc.constantFrom('dispute.opened', 'dispute.closed'), dispute)],
  );
}

/** A partner's customer pays: what single draws hardly ever bring together, and what commissions are paid for. */
function resale({ id, packageId, partnerId }: Scene): fc.Arbitrary<readonly Happening[]> {
  return id('resold', 3).chain((invoiceId) => {
    const cash = fc.record({
      invoiceId: fc.constant(invoiceId),
      currency: fc.constant('USD'),
      amountMinor: minor,
    });
    return fc.tuple(
      happens('referral.attributed', claimOf(partnerId)),
      happens('invoice.finalized', invoiceOf(fc.constant(invoiceId), packageId)),
      happens('invoice.paid', withId(cash, 'paymentId', id('pay', 4))),
    );
  });
}

function claimOf(partnerId: fc.Arbitrary<string>): fc.Arbitrary<Data> {
  return fc.record({
    partnerId,
    method: fc.constantFrom('code', 'link', 'manual'),
    since: maybe(fc.constant('always')),
  });
}

function installs({ id, packageId }: Scene): AnyHappening {
  const install = fc.record({ installId: id('ins', 3), packageId });
  const trial = fc.record({ trialId: id('trl', 1), packageId, endsAt: maybe(anyInstant) });
  return weighted(
    [3, happens('install.created', install)],
    [1, happens('install.uninstalled', install)],
    [2, happens('install.first_value', install)],
    [1, happens(fc.constantFrom('trial.started', 'trial.ended'), trial)],
  );
}

function executions({ id, packageId }: Scene): AnyHappening {
  const types = ['started', 'completed', 'completed', 'failed', 'canceled'].map((end) => `execution.${end}`);
  const execution = fc.record({
    executionId: id('run', 9),
    packageId,
    durationMs: fc.nat(5_000),
    usage: maybe(fc.record({ llm_tokens: quantity, messages: quantity })),
    costMicros: fc.oneof(fc.nat(9_999_999), fc.constant('4000000000')),
    currency,
    humanIntervention: maybe(fc.boolean()),
    savedMinutes: maybe(quantity),
    byoKey: maybe(fc.boolean()),
  });
  return happens(fc.constantFrom(...types), execution);
}

function orgs({ segment, channel }: Scene): AnyHappening {
  const org = fc.record({
    segment: maybe(segment),
    country: maybe(fc.constantFrom('DE', 'US', 'Côte d’Ivoire')),
    flags: maybe(fc.constantFrom([], ['reference'], ['test'])),
  });
  const signup = fc.record({ userId: fc.constant('usr'), channel: maybe(channel), segment: maybe(segment) });
  return weighted(
    [1, happens('org.upserted', org)],
    [1, happens('signup.created', signup)],
    [1, happens('activation.reached', fc.constant({ kind: 'first_agent' }))],
  );
}

function sales({ id, catalog, partnerId, segment, channel }: Scene): AnyHappening {
  const leadId = id('lead', 2);
  const lead = fc.record({
    leadId,
    companyId: maybe(id('co', 1)),
    source: maybe(fc.constantFrom('web', 'fair', 'Büro')),
    channel: maybe(channel),
    createdAt: anyInstant,
    attributes: maybe(fc.constantFrom({ employees: 12 }, { employees: '40', tools: ['slack'] }, {})),
  });
  const company = fc.record({
    companyId: id('co', 1),
    industry: maybe(fc.constantFrom('marketing', 'retail')),
    employees: maybe(fc.nat(80)),
    segment: maybe(segment),
  });
  const activity = fc.record({
    leadId,
    kind: fc.constantFrom(...activityKinds(catalog), 'something else'),
  });
  return weighted(
    [2, happens('lead.upserted', lead)],
    [2, happens('lead.activity', activity)],
    [1, happens('company.upserted', company)],
    [1, happens('referral.attributed', claimOf(partnerId))],
    [1, happens('workspace.provisioned', fc.record({ partnerId }))],
  );
}

function activityKinds({ leadScore }: Catalog): string[] {
  return Object.values(leadScore?.engagement ?? {}).map(({ activity }) => activity);
}

function withId(data: fc.Arbitrary<Data>, field: string, id: fc.Arbitrary<string>): fc.Arbitrary<Data> {
  return fc.tuple(data, id).map(([fields, value]) => ({ ...fields, [field]: value }));
}

function invoiceOf(invoiceId: fc.Arbitrary<string>, packageId: fc.Arbitrary<string>): fc.Arbitrary<Data> {
  const line = fc.record({
    kind: fc.constantFrom('subscription', 'overage', 'services', 'addon', 'licence'),
    productId: maybe(packageId),
    amountMinor: minor,
    span: maybe(fc.tuple(anyDate, anyDate).filter(([from, to]) => from < to)),
  });
  return fc
    .record({ id: invoiceId, lines: fc.array(line, { minLength: 1, maxLength: 3 }) })
    .map((invoice) => ({
      invoiceId: invoice.id,
      currency: 'USD',
      totalMinor: String(invoice.lines.reduce((sum, { amountMinor }) => sum + BigInt(amountMinor), 0n)),
      lines: invoice.lines.map(({ span, ...rest }, index) => ({
        lineId: `${invoice.id}_${index}`,
        ...rest,
        ...(span === undefined ? {} : { periodStart: span[0], periodEnd: span[1] }),
      })),
    }));
}
