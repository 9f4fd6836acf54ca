import type { PublishedCatalog } from '../../core/catalog/tables.js';
import type { Plan } from '../../core/catalog/products.js';
import type { MinimumCommitment } from '../../core/catalog/values.js';
import {
  decimalOf,
  divideRounded,
  multiplyDecimals,
  subtractDecimals,
  type Decimal,
} from '../../core/decimal.js';
import { overlapOf, type Period } from '../../core/time.js';
import type { BillingPeriod } from '../billing-periods.js';
import type { CatalogAt } from '../catalog-versions.js';
import { entryOf, soldItem } from '../held-scopes.js';
import { currencyIn } from '../held-periods.js';
import type { Subscription, SubscriptionState } from '../subscription-timeline.js';

/** What holds for all usage of a subscription in one of its periods. */
export interface PeriodTerms {
  readonly orgId: string;
  readonly subscriptionId: string;
  readonly period: Period;
  readonly currency: string;
  /** What is paid of each 1 that usage comes to, after its discounts; null where none reaches it. */
  readonly share: Decimal | null;
  readonly commitment: Commitment | null;
  /** The version that the last of its plans was sold under. */
  readonly catalogVersion: bigint | null;
}

/** What usage of a period comes to at least; or why that can't be said. */
export type Commitment =
  | { readonly ok: true; readonly amountMinor: bigint; readonly isAssumed: boolean }
  | { readonly ok: false; readonly reason: string };

interface HeldPlan {
  readonly planId: string;
  readonly plan: Plan;
  readonly soldUnder: PublishedCatalog;
}

interface Stretch extends Period {
  readonly state: SubscriptionState;
  readonly plans: readonly HeldPlan[];
}

/** Null for a period in which nothing is billed. */
export function periodTerms(
  subscription: Subscription,
  billing: BillingPeriod,
  catalogAt: CatalogAt,
): PeriodTerms | null {
  const { orgId, subscriptionId } = subscription;
  const stretches = billedStretches(subscription, billing, catalogAt);
  const currency = currencyIn(subscription, billing);
  const last = stretches.at(-1);
  if (last === undefined || currency === null) return null;
  return {
    orgId,
    subscriptionId,
    period: { start: billing.start, end: billing.end },
    currency,
    share: shareOf(last),
    commitment: commitmentOf(stretches, billing, currency),
    catalogVersion: last.plans.at(-1)?.soldUnder.version ?? null,
  };
}

function billedStretches({ states }: Subscription, billing: BillingPeriod, catalogAt: CatalogAt): Stretch[] {
  return states.flatMap((state) => {
    const part = overlapOf({ start: state.from, end: state.to ?? billing.end }, billing);
    if (part === null || !state.isBillable) return [];
    const plans = state.items.flatMap((item): HeldPlan[] => {
      if (item.kind !== 'plan') return [];
      const found = soldItem(item, catalogAt, billing.start);
      if (found === null) return [];
      const { soldUnder } = found;
      const plan = entryOf(soldUnder.catalog.plans, item.productId);
      return plan === undefined ? [] : [{ planId: item.productId, plan, soldUnder }];
    });
    return [{ ...part, state, plans }];
  });
}

/** The discounts that stand at the last instant that is billed, several of them multiplied. */
function shareOf({ state, end, plans }: Stretch): Decimal | null {
  if (!plans.some(({ plan }) => plan.discountsCoverOverage)) return null;
  const standing = state.discounts.filter(({ endsAt }) => endsAt === null || endsAt >= end);
  if (standing.length === 0) return null;
  return standing.reduce((share, { percentOff }) => {
    const { unscaled, scale } = subtractDecimals(decimalOf(100n), percentOff);
    return multiplyDecimals(share, { unscaled, scale: scale + 2 });
  }, decimalOf(1n));
}

/** By seconds, as allowances are, and rounded once. */
function commitmentOf(
  stretches: readonly Stretch[],
  { whole }: BillingPeriod,
  currency: string,
): Commitment | null {
  let product = 0n;
  let isAssumed = false;
  let isAny = false;
  for (const [index, { start, end, plans }] of stretches.entries()) {
    // What is owed in full fills what is not billed of the period, unless another plan does.
    const filled = {
      start: index === 0 ? whole.start : start,
      end: stretches[index + 1]?.start ?? whole.end,
    };
    for (const { planId, plan } of plans) {
      const { minimumCommitment } = plan;
      if (minimumCommitment === undefined) continue;
      const term = termIn(minimumCommitment, currency);
      if (term === undefined) {
        return { ok: false, reason: `the catalog has no minimum commitment of ${planId} in ${currency}` };
      }
      const owed = minimumCommitment.partialPeriod === 'full' ? filled : { start, end };
      product += term.amountMinor * (owed.end - owed.start);
      isAssumed ||= term.assumed;
      isAny = true;
    }
  }
  if (!isAny) return null;
  return { ok: true, amountMinor: divideRounded(product, whole.end - whole.start), isAssumed };
}

function termIn(term: MinimumCommitment, currency: string) {
  return [term, ...term.otherCurrencies].find((one) => one.currency === currency);
}
