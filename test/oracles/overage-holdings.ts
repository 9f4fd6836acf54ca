import { z } from 'zod';
import type { Catalog } from '../../core/catalog.js';
import { parseInstant, type Instant } from '../../core/time.js';
import { fraction, NONE, times, type Fraction } from './fraction.js';
import type { StandingEvent } from './standing-events.js';

/* Who held what when, plainly. */

/** A version of the catalog and from when it rules; the first from the start. */
export interface RuledFrom {
  readonly catalog: Catalog;
  readonly from: Instant | null;
}

export type Product =
  | Catalog['plans'][string]
  | Catalog['packages'][string]
  | Catalog['bundles'][string]
  | Catalog['addons'][string];
export type Allowance = Product['allowances'][string];
export type Kind = 'plan' | 'bundle' | 'package' | 'addon';

interface Item {
  readonly kind: Kind;
  readonly productId: string;
  readonly quantity: Fraction;
  readonly catalog: Catalog;
  readonly soldAt: Instant;
}
export interface Change {
  readonly from: Instant;
  readonly status: string;
  readonly trialEnd: Instant | null;
  readonly currency: string;
  readonly items: readonly Item[];
}
export interface Sub {
  readonly orgId: string;
  readonly id: string;
  /** Where periods are counted from, since when. */
  readonly anchors: readonly { readonly since: Instant; readonly anchor: Instant }[];
  readonly changes: readonly Change[];
}
export interface Thing {
  readonly kind: Kind;
  readonly id: string;
  readonly quantity: Fraction;
  readonly product: Product;
  readonly packages: readonly string[];
}
const Data = z.looseObject({
  subscriptionId: z.string(),
  currency: z.string(),
  status: z.string().nullish(),
  trialEndsAt: z.string().nullish(),
  billingAnchorAt: z.string().nullish(),
  effectiveAt: z.string().nullish(),
  items: z
    .array(
      z.looseObject({
        kind: z.enum(['plan', 'bundle', 'package', 'addon']),
        productId: z.string(),
        quantity: z.union([z.string(), z.number()]),
      }),
    )
    .nullish(),
});
export function decimal(value: string | number): Fraction {
  const [whole = '0', part = ''] = String(value).split('.');
  return fraction(BigInt(whole + part), 10n ** BigInt(part.length));
}

/** Subscriptions with what was held after each change, and the catalog each thing was sold by. */
export function readSubscriptions(events: readonly StandingEvent[], versions: readonly RuledFrom[]): Sub[] {
  const bySub = new Map<string, { event: StandingEvent; data: z.infer<typeof Data>; from: Instant }[]>();
  for (const event of events) {
    if (!event.type.startsWith('subscription.')) continue;
    const data = Data.parse(event.data);
    const from = data.effectiveAt == null ? event.at : parseInstant(data.effectiveAt);
    const key = `${event.subject} ${data.subscriptionId}`;
    bySub.set(key, [...(bySub.get(key) ?? []), { event, data, from }]);
  }
  return [...bySub.values()].map((list) => {
    // Events come in their order already; sorting is stable.
    const sorted = list.sort((a, b) => Number(a.from - b.from));
    let held: readonly Item[] = [];
    const changes = sorted.map(({ event, data, from }): Change => {
      const status =
        event.type === 'subscription.canceled'
          ? 'canceled'
          : event.type === 'subscription.paused'
            ? 'paused'
            : (data.status ?? 'active');
      const named = (data.items ?? []).map((item): Item => {
        const before = held.find(({ kind, productId }) => kind === item.kind && productId === item.productId);
        const soldAt = before?.soldAt ?? from;
        const catalog = versions.findLast(
          (version) => version.from === null || version.from <= soldAt,
        )?.catalog;
        if (catalog === undefined) throw new Error('the first version rules from the start');
        return { ...item, quantity: decimal(item.quantity), catalog, soldAt };
      });
      held = status === 'canceled' ? [] : status === 'paused' && named.length === 0 ? held : named;
      const trialEnd = data.trialEndsAt == null ? null : parseInstant(data.trialEndsAt);
      return { from, status, trialEnd, currency: data.currency, items: held };
    });
    const first = sorted[0];
    if (first === undefined) throw new Error('a subscription has an event');
    return {
      orgId: first.event.subject,
      id: first.data.subscriptionId,
      anchors: sorted.flatMap(({ event, data, from }, index) => {
        const named = data.billingAnchorAt;
        if (named != null) return [{ since: from, anchor: parseInstant(named) }];
        const startsAgain =
          event.type === 'subscription.started' && changes[index - 1]?.status === 'canceled';
        return index === 0 || startsAgain ? [{ since: from, anchor: from }] : [];
      }),
      changes,
    };
  });
}

export function changeAt(sub: Sub, at: Instant): Change | undefined {
  return sub.changes.findLast(({ from }) => from <= at);
}

export function isBilled(change: Change | undefined, at: Instant): boolean {
  if (change === undefined) return false;
  if (change.status === 'trialing') return change.trialEnd !== null && change.trialEnd <= at;
  if (change.status !== 'active' && change.status !== 'past_due') return false;
  return change.trialEnd === null || change.trialEnd <= at;
}

/** What a change's items meter, bundles opened. */
export function thingsOf(change: Change | undefined, meterId: string): Thing[] {
  const things = (change?.items ?? []).flatMap(({ kind, productId, quantity, catalog }): Thing[] => {
    if (kind === 'bundle') {
      const bundle = catalog.bundles[productId];
      if (bundle === undefined) return [];
      const inside = packagesIn(catalog, productId);
      const opened = inside.flatMap((id): Thing[] => {
        const found = catalog.packages[id];
        if (found === undefined) return [];
        const product = bundle.stopPolicy === undefined ? found : { ...found, stopPolicy: bundle.stopPolicy };
        return [{ kind: 'package', id, quantity, product, packages: [id] }];
      });
      return [{ kind, id: productId, quantity, product: bundle, packages: inside }, ...opened];
    }
    const shelf: Readonly<Record<string, Product>> = {
      plan: catalog.plans,
      package: catalog.packages,
      addon: catalog.addons,
    }[kind];
    const product = Object.hasOwn(shelf, productId) ? shelf[productId] : undefined;
    const packages = kind === 'package' ? [productId] : [];
    return product === undefined ? [] : [{ kind, id: productId, quantity, product, packages }];
  });
  return things.filter(({ product }) => product.allowances[meterId] ?? product.overage[meterId]);
}

function packagesIn(catalog: Catalog, bundleId: string): string[] {
  const bundle = catalog.bundles[bundleId];
  if (bundle === undefined) return [];
  return [...new Set([...bundle.packages, ...bundle.bundles.flatMap((id) => packagesIn(catalog, id))])];
}

/** Null is without limit. */
export function amountIn({ quantity }: Thing, allowance: Allowance | undefined): Fraction | null {
  if (allowance === undefined) return NONE;
  if (allowance.quantity === undefined) return null;
  return allowance.perSeat ? times(decimal(allowance.quantity), quantity) : decimal(allowance.quantity);
}
