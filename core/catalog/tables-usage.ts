import type { Catalog } from '../catalog.js';
import type { Sold } from './products.js';
import { table } from './tables.js';
import type { OveragePrice } from './usage.js';

/** What is metered, what is included, and what more costs. */
export const USAGE_TABLES = {
  catalog_meters: table(
    {
      meter_id: 'text',
      name: 'text',
      stream: 'text',
      event_type: 'text',
      meter_key: 'text',
      aggregation: 'text',
      unit: 'text',
      bills_failed: 'boolean',
    },
    ({ meters }) =>
      Object.entries(meters).map(([meterId, meter]) => ({
        meter_id: meterId,
        name: meter.name,
        stream: meter.stream,
        event_type: meter.eventType,
        meter_key: meter.key ?? null,
        aggregation: meter.aggregation,
        unit: meter.unit,
        bills_failed: meter.billsFailed,
      })),
  ),

  /** A meter with rows here counts only events whose field is one of the values. */
  catalog_meter_filters: table({ meter_id: 'text', field: 'text', value: 'text' }, ({ meters }) =>
    Object.entries(meters).flatMap(([meterId, { filter }]) =>
      Object.entries(filter).flatMap(([field, values]) =>
        values.map((value) => ({ meter_id: meterId, field, value })),
      ),
    ),
  ),

  catalog_allowances: table(
    {
      scope_kind: 'text',
      scope_id: 'text',
      meter_id: 'text',
      quantity: 'text',
      per: 'text',
      is_per_seat: 'boolean',
      is_unlimited: 'boolean',
      is_assumed: 'boolean',
    },
    (catalog) =>
      scopesOf(catalog).flatMap(({ kind, id, sold }) =>
        Object.entries(sold.allowances).map(([meterId, allowance]) => ({
          scope_kind: kind,
          scope_id: id,
          meter_id: meterId,
          quantity: allowance.quantity ?? null,
          per: allowance.per,
          is_per_seat: allowance.perSeat,
          is_unlimited: allowance.unlimited,
          is_assumed: allowance.assumed,
        })),
      ),
  ),

  /** One row per currency. Tiered models have NULL rates here and their tiers in catalog_overage_tiers. */
  catalog_overage_prices: table(
    {
      scope_kind: 'text',
      scope_id: 'text',
      meter_id: 'text',
      model: 'text',
      unit_rate: 'text',
      block_size: 'text',
      currency: 'text',
      is_assumed: 'boolean',
    },
    (catalog) =>
      overagesOf(catalog).flatMap(({ scope, price }) =>
        ratesOf(price).map((rate) => ({ ...scope, model: price.model, ...rate })),
      ),
  ),

  catalog_overage_tiers: table(
    {
      scope_kind: 'text',
      scope_id: 'text',
      meter_id: 'text',
      tier: 'integer',
      up_to: 'text',
      unit_rate: 'text',
      flat: 'text',
      currency: 'text',
    },
    (catalog) =>
      overagesOf(catalog).flatMap(({ scope, price }) =>
        price.model === 'graduated' || price.model === 'volume'
          ? price.tiers.map(({ upTo, amount, flat }, index) => ({
              ...scope,
              tier: index + 1,
              up_to: upTo ?? null,
              unit_rate: amount,
              flat: flat ?? null,
              currency: price.currency,
            }))
          : [],
      ),
  ),
};

interface Scope {
  readonly kind: string;
  readonly id: string;
  readonly sold: Sold;
}

function scopesOf({ plans, packages, bundles, addons }: Catalog): Scope[] {
  const scopes = (kind: string, items: Readonly<Record<string, Sold>>): Scope[] =>
    Object.entries(items).map(([id, sold]) => ({ kind, id, sold }));
  return [
    ...scopes('plan', plans),
    ...scopes('package', packages),
    ...scopes('bundle', bundles),
    ...scopes('addon', addons),
  ];
}

function overagesOf(catalog: Catalog) {
  return scopesOf(catalog).flatMap(({ kind, id, sold }) =>
    Object.entries(sold.overage).map(([meterId, price]) => ({
      scope: { scope_kind: kind, scope_id: id, meter_id: meterId },
      price,
    })),
  );
}

function ratesOf(price: OveragePrice) {
  if (price.model === 'graduated' || price.model === 'volume') {
    return [{ unit_rate: null, block_size: null, currency: price.currency, is_assumed: price.assumed }];
  }
  const blockSize = price.model === 'per_unit' ? null : price.block;
  return [price, ...price.otherCurrencies].map(({ amount, currency, assumed }) => ({
    unit_rate: amount,
    block_size: blockSize,
    currency,
    is_assumed: assumed,
  }));
}
