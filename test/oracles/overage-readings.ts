import { z } from 'zod';
import type { Catalog } from '../../core/catalog.js';
import type { Instant } from '../../core/time.js';
import { fraction, type Fraction } from './fraction.js';
import { changeAt, decimal, isBilled, thingsOf, type Sub } from './overage-holdings.js';
import type { StandingEvent } from './standing-events.js';

/* What a meter reads of an event, and whose it is, plainly. */

export interface Reading {
  readonly event: string;
  readonly at: Instant;
  readonly quantity: Fraction;
  /** What makes it a unique one. */
  readonly value: string | null;
  readonly told: StandingEvent;
}

const Number_ = z.union([z.string(), z.number()]);
const Field = z.union([z.string(), z.number()]).transform(String).nullish();
const Data = z.looseObject({
  packageId: z.string().nullish(),
  byoKey: z.boolean().nullish(),
  meter: z.string().nullish(),
  quantity: Number_.nullish(),
  usage: z.record(z.string(), Number_).nullish(),
  unique: z.string().nullish(),
});

/** Null: the meter does not read it. */
export function readingOf(
  event: StandingEvent,
  meterId: string,
  meter: Catalog['meters'][string],
): Reading | null {
  const isType = event.type === meter.eventType || (meter.billsFailed && event.type === 'execution.failed');
  if (!isType) return null;
  const data = Data.parse(event.data);
  const field = (name: string): string | null => Field.parse(data[name]) ?? null;
  if (Object.entries(meter.filter).some(([name, values]) => !values.includes(field(name) ?? ''))) return null;
  const isRecorded = meter.eventType === 'usage.recorded';
  if (isRecorded && data.meter !== (meter.key ?? meterId)) return null;
  const reading = { event: `${event.source} ${event.id}`, at: event.at, told: event };
  if (meter.aggregation === 'unique') {
    const value = isRecorded ? (data.unique ?? null) : field(meter.key ?? 'userId');
    return value === null ? null : { ...reading, quantity: fraction(1n), value };
  }
  const quantity = isRecorded
    ? (data.quantity ?? '0')
    : meter.key === undefined
      ? '1'
      : meter.stream === 'installs'
        ? field(meter.key)
        : data.usage?.[meter.key];
  if (quantity == null || !/^\d+([.]\d+)?$/.test(String(quantity))) return null;
  return {
    ...reading,
    quantity: meter.aggregation === 'count' ? fraction(1n) : decimal(quantity),
    value: null,
  };
}

/** Whose an event is at an instant: the first by rank that holds its package, else the first by rank that is billed. */
export function ownerOf(
  subs: readonly Sub[],
  event: StandingEvent,
  meterId: string,
  at: Instant,
): Sub | null {
  const { packageId, byoKey } = Data.parse(event.data);
  const owner = holderOf(subs, packageId ?? '', meterId, at);
  if (owner === null) return null;
  const isFree = owner.things.some(({ product }) => product.ownKey?.uncountedMeters.includes(meterId));
  const isOnOwnKey = byoKey === true && !/^(session|install)[.]/.test(event.type);
  return isOnOwnKey && isFree ? null : owner.sub;
}

/** Who answers for a package's usage, or for usage of none. */
export function holderOf(subs: readonly Sub[], packageId: string, meterId: string, at: Instant) {
  const holders = subs
    .map((sub) => ({ sub, change: changeAt(sub, at) }))
    .map(({ sub, change }) => ({
      sub,
      things: thingsOf(change, meterId),
      billed: isBilled(change, at),
      startedAt: sub.changes[0]?.from ?? 0n,
    }))
    .filter(({ things }) => things.length > 0)
    .map((holder) => ({ ...holder, hasPlan: holder.things.some(({ kind }) => kind === 'plan') }))
    .sort(
      (a, b) =>
        Number(b.billed) - Number(a.billed) ||
        Number(b.hasPlan) - Number(a.hasPlan) ||
        Number(a.startedAt - b.startedAt) ||
        (a.sub.id < b.sub.id ? -1 : 1),
    );
  const owner =
    holders.find(({ things }) => things.some(({ packages }) => packages.includes(packageId))) ??
    holders.find(({ billed }) => billed);
  return owner === undefined || !owner.billed ? null : owner;
}
