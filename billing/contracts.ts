import { Allowance, OveragePrice } from '../core/catalog/usage.js';
import { compareText } from '../core/compare.js';
import { invariant } from '../core/errors.js';
import { eventTypes } from '../core/events.js';
import { parseJsonExact } from '../core/json.js';
import { overlapOf, parseInstant, type Instant, type Period } from '../core/time.js';
import type { z } from 'zod';
import { entryOf, type Scope } from './held-scopes.js';
import type { Subscription, SubscriptionState } from './subscription-timeline.js';

/** A `contract.signed` event as the facts hold it: `data` is JSON text. */
export interface ContractEvent {
  readonly orgId: string;
  readonly source: string;
  readonly eventId: string;
  readonly at: Instant;
  readonly data: string;
}

/** What an org agreed to beyond the catalog, while its term lasts. Under ids of meters. */
export interface Agreed {
  readonly prices: ReadonlyMap<string, OveragePrice>;
  readonly allowances: ReadonlyMap<string, z.output<typeof Allowance>>;
  /** What was agreed of a meter and can't be read as a catalog would: nothing is billed by a guess. */
  readonly unreadable: ReadonlyMap<string, string>;
}

export interface Contract extends Period, Agreed {
  readonly orgId: string;
}

const Data = eventTypes['contract.signed'].data;

/** Contracts with what they agree on for meters, from their events in whatever order; of two on one meter, the later counts. */
export function contractsOf(events: readonly ContractEvent[]): Contract[] {
  return [...events]
    .sort(
      (a, b) =>
        (a.at < b.at ? -1 : Number(a.at > b.at)) ||
        compareText(a.source, b.source) ||
        compareText(a.eventId, b.eventId),
    )
    .map(contractOf);
}

function contractOf({ orgId, source, eventId, data }: ContractEvent): Contract {
  const json = parseJsonExact(data);
  invariant(json.ok, `contract event ${source} ${eventId} must be JSON; ingest saw to it`);
  const { contractId, startsAt, endsAt, overrides } = Data.parse(json.value);
  const prices = entriesOf(overrides?.prices, OveragePrice);
  const allowances = entriesOf(overrides?.allowances, Allowance);
  const unreadable = [
    ...prices.unreadable.map((meterId): [string, string] => [meterId, 'price']),
    ...allowances.unreadable.map((meterId): [string, string] => [meterId, 'allowance']),
  ];
  return {
    orgId,
    start: parseInstant(startsAt),
    end: parseInstant(endsAt),
    prices: prices.read,
    allowances: allowances.read,
    unreadable: new Map(
      unreadable.map(([meterId, what]) => [
        meterId,
        `contract ${contractId} has no ${what} of ${meterId} that can be read; amend it, written as a catalog would`,
      ]),
    ),
  };
}

function entriesOf<Schema extends z.ZodType>(values: unknown, schema: Schema) {
  const read = new Map<string, z.output<Schema>>();
  const unreadable: string[] = [];
  for (const [meterId, value] of Object.entries(values ?? {})) {
    const parsed = schema.safeParse(value);
    if (parsed.success) read.set(meterId, parsed.data);
    else unreadable.push(meterId);
  }
  return { read, unreadable };
}

/** Subscriptions whose states say what was agreed while they were. */
export function withContracts(
  subscriptions: readonly Subscription[],
  contracts: readonly Contract[],
): Subscription[] {
  return subscriptions.map((subscription) => {
    const own = contracts.filter(({ orgId }) => orgId === subscription.orgId);
    if (own.length === 0) return subscription;
    return { ...subscription, states: subscription.states.flatMap((state) => partsOf(state, own)) };
  });
}

/** A state, cut where a contract begins or ends. */
function partsOf(state: SubscriptionState, contracts: readonly Contract[]): SubscriptionState[] {
  const borders = contracts
    .flatMap(({ start, end }) => [start, end])
    .filter((border) => border > state.from && (state.to === null || border < state.to));
  const starts = [...new Set([state.from, ...borders])].sort((a, b) => (a < b ? -1 : 1));
  return starts.map((from, index) => {
    const holding = contracts.filter((one) => overlapOf(one, { start: from, end: from + 1n }) !== null);
    return {
      ...state,
      from,
      to: starts[index + 1] ?? state.to,
      agreed: holding.length === 0 ? null : merged(holding),
    };
  });
}

function merged(contracts: readonly Contract[]): Agreed {
  const agreed = {
    prices: new Map<string, OveragePrice>(),
    allowances: new Map<string, z.output<typeof Allowance>>(),
    unreadable: new Map<string, string>(),
  };
  for (const { prices, allowances, unreadable } of contracts) {
    for (const meterId of [...prices.keys(), ...allowances.keys()]) agreed.unreadable.delete(meterId);
    for (const [meterId, price] of prices) agreed.prices.set(meterId, price);
    for (const [meterId, allowance] of allowances) agreed.allowances.set(meterId, allowance);
    for (const [meterId, reason] of unreadable) agreed.unreadable.set(meterId, reason);
  }
  return agreed;
}

/**
 * What is held, as agreed: an allowance is the plan's then, in place of all that its subscription includes of the meter; a price is
 * that of whatever meters it, and of the plan.
 */
export function agreedScopes(scopes: readonly Scope[], agreed: Agreed | null): readonly Scope[] {
  const plan = scopes.find(({ kind }) => kind === 'plan');
  if (agreed === null) return scopes;
  return scopes.map((scope) => {
    const isPlan = scope === plan;
    const prices = [...agreed.prices].filter(
      ([meterId]) => isPlan || entryOf(scope.sold.overage, meterId) !== undefined,
    );
    const allowances = plan === undefined ? [] : [...agreed.allowances];
    const own = Object.entries(scope.sold.allowances).filter(
      ([meterId]) => plan === undefined || !agreed.allowances.has(meterId),
    );
    return {
      ...scope,
      sold: {
        ...scope.sold,
        overage: { ...scope.sold.overage, ...Object.fromEntries(prices) },
        allowances: Object.fromEntries([...own, ...(isPlan ? allowances : [])]),
      },
    };
  });
}
