import type Stripe from 'stripe';
import {
  addDecimals,
  decimalOf,
  multiplyDecimals,
  parseDecimal,
  roundToInteger,
  ZERO,
  type Decimal,
} from '../../../core/decimal.js';
import { RefusedError } from '../../../core/errors.js';
import { asking } from './asking.js';

/** What a product or price says of itself to us, in its metadata at Stripe. */
export const PRODUCT_MARK = 'headgate_product_id';
export const KIND_MARK = 'headgate_kind';

export interface PriceTier {
  readonly upTo: bigint | null;
  readonly unit: Decimal;
  readonly flat: Decimal;
}

/** A price, as far as it says what is sold and for how much. Amounts are in Stripe's minor unit, and may be finer. */
export interface ReadPrice {
  readonly priceId: string;
  /** As the catalog knows it: by our mark, else by the price's lookup key, else Stripe's own id. */
  readonly productId: string;
  readonly kind: string | null;
  /** Null where it is paid once. */
  readonly every: { readonly interval: string; readonly count: number } | null;
  /** By what was used: it is worth nothing before. */
  readonly isMetered: boolean;
  readonly unit: Decimal;
  readonly tiers: { readonly mode: 'graduated' | 'volume'; readonly each: readonly PriceTier[] } | null;
  readonly packages: { readonly size: bigint; readonly round: 'up' | 'down' } | null;
}

const KEPT = 2_000;

/** Prices never change their amounts, so each is asked for once. */
export class Prices {
  private readonly known = new Map<string, ReadPrice>();

  constructor(private readonly stripe: Stripe) {}

  /** @throws RefusedError `conflict` when Stripe does not have it: what it costs can't be told */
  async require(priceId: string): Promise<ReadPrice> {
    const price = await this.read(priceId);
    if (price !== null) return price;
    throw new RefusedError(
      'conflict',
      `Stripe does not have the price ${priceId}, so what is sold by it is not known`,
    );
  }

  async read(priceId: string): Promise<ReadPrice | null> {
    const before = this.known.get(priceId);
    if (before !== undefined) return before;
    const price = await asking(() => this.stripe.prices.retrieve(priceId, { expand: ['product', 'tiers'] }));
    if (price === null) return null;
    const read = readPrice(price);
    if (this.known.size >= KEPT) this.known.clear();
    this.known.set(priceId, read);
    return read;
  }
}

function readPrice(price: Stripe.Price): ReadPrice {
  const { product, recurring, tiers, tiers_mode: mode, transform_quantity: transform } = price;
  const productMarks = typeof product === 'string' || product.deleted === true ? {} : product.metadata;
  const marks = { ...productMarks, ...price.metadata };
  return {
    priceId: price.id,
    productId:
      marks[PRODUCT_MARK] ?? price.lookup_key ?? (typeof product === 'string' ? product : product.id),
    kind: marks[KIND_MARK] ?? null,
    every: recurring === null ? null : { interval: recurring.interval, count: recurring.interval_count },
    isMetered: recurring?.usage_type === 'metered',
    unit: amount(price.unit_amount_decimal, price.unit_amount),
    tiers:
      mode === null || tiers === undefined
        ? null
        : { mode: mode === 'volume' ? 'volume' : 'graduated', each: tiers.map(readTier) },
    packages:
      transform === null
        ? null
        : { size: BigInt(transform.divide_by), round: transform.round === 'up' ? 'up' : 'down' },
  };
}

function readTier(tier: Stripe.Price.Tier): PriceTier {
  return {
    upTo: tier.up_to === null ? null : BigInt(tier.up_to),
    unit: amount(tier.unit_amount_decimal, tier.unit_amount),
    flat: amount(tier.flat_amount_decimal, tier.flat_amount),
  };
}

function amount(fine: { toString(): string } | null, whole: number | null): Decimal {
  return fine === null ? decimalOf(BigInt(whole ?? 0)) : parseDecimal(fine.toString());
}

/** What a quantity costs for one interval, in Stripe's minor unit, rounded once. */
export function priceOf(price: ReadPrice, quantity: bigint): bigint {
  const units = unitsOf(price, quantity);
  return roundToInteger(
    price.tiers === null ? multiplyDecimals(price.unit, decimalOf(units)) : tiered(price.tiers, units),
  );
}

function unitsOf({ packages }: ReadPrice, quantity: bigint): bigint {
  if (packages === null) return quantity;
  const { size, round } = packages;
  return (round === 'up' ? quantity + size - 1n : quantity) / size;
}

function tiered({ mode, each }: NonNullable<ReadPrice['tiers']>, units: bigint): Decimal {
  let total = ZERO;
  let below = 0n;
  for (const tier of each) {
    const { upTo } = tier;
    const isLast = upTo === null || units <= upTo;
    if (mode === 'volume') {
      if (isLast) return costOf(tier, units);
      continue;
    }
    total = addDecimals(total, costOf(tier, (isLast ? units : upTo) - below));
    if (isLast) return total;
    below = upTo;
  }
  return total;
}

function costOf({ unit, flat }: PriceTier, units: bigint): Decimal {
  return addDecimals(multiplyDecimals(unit, decimalOf(units)), flat);
}
