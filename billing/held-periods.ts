import type { Meter } from '../core/catalog/usage.js';
import { addDecimals, multiplyDecimals, parseDecimal, ZERO, type Decimal } from '../core/decimal.js';
import { overlapOf, type Instant, type Period } from '../core/time.js';
import type { BillingPeriod } from './billing-periods.js';
import type { CatalogAt } from './catalog-versions.js';
import { agreedScopes } from './contracts.js';
import { entryOf, isMetering, scopesOf, type Scope } from './held-scopes.js';
import type { Subscription } from './subscription-timeline.js';

/** A stretch in which a subscription holds the same things that meter something. */
export interface Holding extends Period {
  /** Its usage is billed. In a trial or a pause it is not, but belongs to nobody else either. */
  readonly isBillable: boolean;
  /** Those of its things that say something about the meter. */
  readonly scopes: readonly Scope[];
  readonly packages: readonly string[];
  readonly hasPlan: boolean;
  /** Executions on the customer's own model key do not count. */
  readonly skipsOwnKey: boolean;
  /** What a level (storage) may reach in it; null is without limit. */
  readonly limit: Decimal | null;
  /** For how long it brings allowances; null where it is not billed. */
  readonly granted: Period | null;
}

/** One meter of one subscription in one of its periods, and what was held that it meters. */
export interface HeldPeriod extends Period {
  readonly orgId: string;
  readonly subscriptionId: string;
  readonly startedAt: Instant;
  readonly currency: string;
  readonly meterId: string;
  readonly meter: Meter;
  readonly holdings: readonly Holding[];
  readonly billing: BillingPeriod;
  /** What was agreed of the meter, where that can't be read; null where nothing is wrong. */
  readonly problem: string | null;
}

interface Part extends Period {
  readonly isBillable: boolean;
  readonly scopes: readonly Scope[];
  readonly granted: Period | null;
}

/** What a subscription's items meter in one of its periods, meter by meter. */
export function heldPeriods(
  subscription: Subscription,
  billing: BillingPeriod,
  catalogAt: CatalogAt,
): HeldPeriod[] {
  const { orgId, subscriptionId, startedAt } = subscription;
  const states = subscription.states.flatMap((state) => {
    const part = overlapOf({ start: state.from, end: state.to ?? billing.end }, billing);
    return part === null ? [] : [{ state, part }];
  });
  const currency = currencyIn(subscription, billing);
  if (currency === null) return [];
  const parts = withGrants(
    states.map(({ state, part }) => ({
      ...part,
      isBillable: state.isBillable,
      scopes: agreedScopes(
        state.items.flatMap((item) => scopesOf(item, catalogAt, billing.start)),
        state.agreed,
      ),
    })),
    subscription,
    billing,
  );
  const { start, end } = billing;
  return [...metersOf(parts)].map(([meterId, meter]) => ({
    start,
    end,
    orgId,
    subscriptionId,
    startedAt,
    currency,
    meterId,
    meter,
    holdings: parts.flatMap((part) => holdingOf(part, meterId)),
    billing,
    problem: states.flatMap(({ state }) => state.agreed?.unreadable.get(meterId) ?? []).at(0) ?? null,
  }));
}

/** The last that was billed in a period; where nothing was, the last. Null where the subscription was nothing in it. */
export function currencyIn({ states }: Subscription, period: Period): string | null {
  const within = states.filter(
    ({ from, to }) => overlapOf({ start: from, end: to ?? period.end }, period) !== null,
  );
  return (within.findLast(({ isBillable }) => isBillable) ?? within.at(-1))?.currency ?? null;
}

/**
 * Time that is not billed after time that was brings the allowances of the state before it: a pause or a cancellation
 * takes nothing back that had been paid for. Time before the first billed instant brings none, unless this is a partial
 * first period whose plan gives it in full.
 */
function withGrants(
  parts: readonly Omit<Part, 'granted'>[],
  { states }: Subscription,
  billing: BillingPeriod,
): Part[] {
  const billed = parts.filter(({ isBillable }) => isBillable);
  const firstEver = states.find(({ isBillable }) => isBillable)?.from;
  const isFirstPeriod = firstEver !== undefined && firstEver >= billing.start;
  return parts.map((part) => {
    const place = billed.indexOf(part);
    if (place < 0) return { ...part, granted: null };
    const isFull = part.scopes.some(({ sold }) => 'firstPeriod' in sold && sold.firstPeriod === 'full');
    const start = place === 0 && isFirstPeriod && isFull ? billing.whole.start : part.start;
    return { ...part, granted: { start, end: billed[place + 1]?.start ?? billing.end } };
  });
}

/** The meters of what is held, each as the newest version defines it that something held was sold under. */
function metersOf(parts: readonly Part[]): ReadonlyMap<string, Meter> {
  const meters = new Map<string, { version: bigint; meter: Meter }>();
  for (const scope of parts.flatMap(({ scopes }) => scopes)) {
    const { version, catalog } = scope.soldUnder;
    for (const [meterId, meter] of Object.entries(catalog.meters)) {
      const known = meters.get(meterId);
      if (isMetering(scope, meterId) && (known === undefined || known.version < version)) {
        meters.set(meterId, { version, meter });
      }
    }
  }
  return new Map([...meters].map(([meterId, { meter }]) => [meterId, meter]));
}

function holdingOf({ scopes, ...part }: Part, meterId: string): Holding[] {
  const metering = scopes.filter((scope) => isMetering(scope, meterId));
  if (metering.length === 0) return [];
  return [
    {
      ...part,
      scopes: metering,
      packages: [...new Set(metering.flatMap(({ packages }) => packages))],
      hasPlan: metering.some(({ kind }) => kind === 'plan'),
      skipsOwnKey: metering.some(({ sold }) => sold.ownKey?.uncountedMeters.includes(meterId) === true),
      limit: sumOf(metering.map((scope) => quantityOf(scope, meterId))),
    },
  ];
}

/** How much a scope includes: 0 where it only has a price, null where it sets no limit. */
export function quantityOf({ sold, quantity }: Scope, meterId: string): Decimal | null {
  const allowance = entryOf(sold.allowances, meterId);
  if (allowance === undefined) return ZERO;
  if (allowance.quantity === undefined) return null;
  const one = parseDecimal(allowance.quantity);
  return allowance.perSeat ? multiplyDecimals(one, quantity) : one;
}

/** Whether any allowance of what was billed is one that the catalog assumes. */
export function isIncludedAssumed({ holdings, meterId }: HeldPeriod): boolean {
  return holdings.some(
    ({ isBillable, scopes }) =>
      isBillable && scopes.some(({ sold }) => entryOf(sold.allowances, meterId)?.assumed === true),
  );
}

/** Without limit plus anything is without limit. */
export function sumOf(quantities: readonly (Decimal | null)[]): Decimal | null {
  return quantities.reduce<Decimal | null>(
    (sum, quantity) => (sum === null || quantity === null ? null : addDecimals(sum, quantity)),
    ZERO,
  );
}
