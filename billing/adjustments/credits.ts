import { compareText } from '../../core/compare.js';
import { addDecimals, parseDecimal, subtractDecimals, ZERO, type Decimal } from '../../core/decimal.js';
import { invariant } from '../../core/errors.js';
import { eventTypes } from '../../core/events.js';
import { parseJsonExact } from '../../core/json.js';
import { parseInstant, type Instant, type Period } from '../../core/time.js';

/** An amount, or a quantity of a meter, that an org has paid for or was given before it used it. */
export interface Credit {
  readonly orgId: string;
  readonly creditId: string;
  readonly unit: CreditUnit;
  /** Of money, in the minor unit. */
  readonly granted: Decimal;
  /** Lower is used first; null after all others. */
  readonly priority: number | null;
  readonly grantedAt: Instant;
  /** Null: never. */
  readonly expiresAt: Instant | null;
}

export type CreditUnit =
  | { readonly kind: 'money'; readonly currency: string }
  | { readonly kind: 'quantity'; readonly meterId: string };

/** A `credit.granted` event as the facts hold it: `data` is JSON text. */
export interface CreditEvent {
  readonly orgId: string;
  readonly source: string;
  readonly eventId: string;
  readonly at: Instant;
  readonly data: string;
}

const Data = eventTypes['credit.granted'].data;

/**
 * Credits from their events, in whatever order these come, and in the order in which they are used: by priority, then what expires
 * first, then the oldest, then by id. A credit that was granted twice under one id is one: the first to be granted.
 */
export function creditsOf(events: readonly CreditEvent[]): Credit[] {
  const inTime = [...events].sort(
    (a, b) =>
      compareInstants(a.at, b.at) || compareText(a.source, b.source) || compareText(a.eventId, b.eventId),
  );
  const first = new Map<string, Credit>();
  for (const credit of inTime.map(creditOf)) {
    const key = JSON.stringify([credit.orgId, credit.creditId]);
    if (!first.has(key)) first.set(key, credit);
  }
  return [...first.values()].sort(inOrderOfUse);
}

function creditOf({ orgId, source, eventId, at, data }: CreditEvent): Credit {
  const json = parseJsonExact(data);
  invariant(json.ok, `credit event ${source} ${eventId} must be JSON; ingest saw to it`);
  const { creditId, amountMinor, currency, meter, quantity, priority, expiresAt } = Data.parse(json.value);
  const isMoney = amountMinor != null && currency != null;
  invariant(isMoney || meter != null, `credit ${creditId} is of money or of a meter; ingest saw to it`);
  return {
    orgId,
    creditId,
    unit: isMoney ? { kind: 'money', currency } : { kind: 'quantity', meterId: meter ?? '' },
    granted: parseDecimal(String(isMoney ? amountMinor : (quantity ?? 0))),
    priority: priority ?? null,
    grantedAt: at,
    expiresAt: expiresAt == null ? null : parseInstant(expiresAt),
  };
}

function inOrderOfUse(a: Credit, b: Credit): number {
  return (
    nullsLast(a.priority, b.priority) ||
    nullsLast(a.expiresAt, b.expiresAt) ||
    compareInstants(a.grantedAt, b.grantedAt) ||
    compareText(a.creditId, b.creditId) ||
    compareText(a.orgId, b.orgId)
  );
}

function nullsLast(a: bigint | number | null, b: bigint | number | null): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return a < b ? -1 : Number(a > b);
}

function compareInstants(a: Instant, b: Instant): number {
  return a < b ? -1 : Number(a > b);
}

/** A period is paid from what was granted before its end and had not expired by then. */
export function isGoodFor({ grantedAt, expiresAt }: Credit, { end }: Period): boolean {
  return grantedAt < end && (expiresAt === null || expiresAt >= end);
}

/** How much was used of credits, under `creditUnitKey`: of money in the minor unit. */
export type SpentCredits = ReadonlyMap<string, Decimal>;

export function creditUnitKey(orgId: string, creditId: string, unit: CreditUnit): string {
  return JSON.stringify([orgId, creditId, unit.kind, unit.kind === 'money' ? unit.currency : unit.meterId]);
}

/** What is left of credits while periods are paid from them, one after the other. */
export class Purse {
  private readonly spent: Map<string, Decimal>;
  private readonly byOrg: ReadonlyMap<string, readonly Credit[]>;

  /** @param spent in other periods than those that will be paid from it */
  constructor(credits: readonly Credit[], spent: SpentCredits = new Map()) {
    this.spent = new Map(spent);
    const byOrg = new Map<string, Credit[]>();
    for (const credit of [...credits].sort(inOrderOfUse)) {
      const known = byOrg.get(credit.orgId);
      if (known === undefined) byOrg.set(credit.orgId, [credit]);
      else known.push(credit);
    }
    this.byOrg = byOrg;
  }

  /** With so much left, by credit of one org; of others nothing. */
  static holding(credits: readonly Credit[], left: Readonly<Record<string, string>>): Purse {
    const spent = credits.map(({ orgId, creditId, unit, granted }): [string, Decimal] => [
      creditUnitKey(orgId, creditId, unit),
      subtractDecimals(granted, parseDecimal(Object.hasOwn(left, creditId) ? (left[creditId] ?? '0') : '0')),
    ]);
    return new Purse(credits, new Map(spent));
  }

  /** In the order in which they are used. */
  goodFor(orgId: string, period: Period): Credit[] {
    return (this.byOrg.get(orgId) ?? []).filter((credit) => isGoodFor(credit, period));
  }

  /** Never below 0, also where more was spent than is granted now. */
  leftOf(credit: Credit): Decimal {
    const left = subtractDecimals(credit.granted, this.spentOf(credit));
    return left.unscaled < 0n ? ZERO : left;
  }

  spend(credit: Credit, amount: Decimal): void {
    const { orgId, creditId, unit } = credit;
    this.spent.set(creditUnitKey(orgId, creditId, unit), addDecimals(this.spentOf(credit), amount));
  }

  spentOf({ orgId, creditId, unit }: Credit): Decimal {
    return this.spent.get(creditUnitKey(orgId, creditId, unit)) ?? ZERO;
  }
}
