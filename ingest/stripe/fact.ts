import { canonicalJson } from '../../core/canonical-json.js';
import { SPEC_VERSION } from '../../core/events/envelope.js';
import type { EventType } from '../../core/events.js';
import { formatInstant, MICROS_PER_SECOND, type Instant } from '../../core/time.js';
import type { OutsideAccount } from '../../platform/outbound/intent.js';
import { moneyOfStripe } from '../../platform/outbound/stripe/stripe-amounts.js';

/** Something that happened at Stripe, as an event of ours. The same fact has the same id, whichever way it came to us. */
export interface Fact {
  readonly factId: string;
  readonly type: EventType;
  /** The subscription or the invoice. */
  readonly objectId: string;
  readonly at: Instant;
  readonly data: Readonly<Record<string, unknown>>;
  /** A fact that this one takes back: told only when that was. */
  readonly takesBack: string | null;
}

export function fact(
  type: EventType,
  key: string,
  { objectId, at, data }: Pick<Fact, 'objectId' | 'at' | 'data'>,
): Fact {
  return { factId: `${type}/${key}`, type, objectId, at, data, takesBack: null };
}

/** Says that what was told did not stay so: a note that was voided, a refund that failed. */
export function takenBack(told: Fact, source: string, at: Instant, reason: string): Fact {
  return {
    factId: `event.voided/${told.factId}`,
    type: 'event.voided',
    objectId: told.objectId,
    at,
    data: { targetType: told.type, targetSource: source, targetId: told.factId, reason },
    takesBack: told.factId,
  };
}

export function sourceOf({ account, mode }: OutsideAccount): string {
  return `stripe/${account}/${mode}`;
}

/** One line of NDJSON. The same fact always gives the same bytes. */
export function eventLine({ factId, type, at, data }: Fact, source: string, subject: string): string {
  const event = {
    specversion: SPEC_VERSION,
    id: factId,
    source,
    type,
    subject,
    time: formatInstant(at),
    data,
  };
  return `${canonicalJson(event)}\n`;
}

export function instantOf(seconds: number): Instant {
  return BigInt(seconds) * MICROS_PER_SECOND;
}

export function timeOf(seconds: number): string {
  return formatInstant(instantOf(seconds));
}

/** In ISO's minor unit, as events have it. */
export function minorOf(amount: bigint, currency: string): bigint {
  return moneyOfStripe(amount, currency).amountMinor;
}
