import { createHash } from 'node:crypto';
import { adjustUsage, endedTerms } from '../../billing/adjustments/adjust-plan.js';
import { creditsOf, Purse, type CreditEvent, type SpentCredits } from '../../billing/adjustments/credits.js';
import { contractsOf, withContracts, type ContractEvent } from '../../billing/contracts.js';
import { catalogVersions, soleVersion } from '../../billing/catalog-versions.js';
import type { UsageWindow, WindowTotal } from '../../billing/metered-usage.js';
import {
  overageQuestions,
  planOverage,
  rateUsage,
  type OverageBooks,
  type OverageLine,
  type OverageQuestion,
} from '../../billing/overage-plan.js';
import { choicesInOf, type ChosenStop } from '../../billing/quota/stop-choices.js';
import { subscriptionsOf, type SubscriptionEvent } from '../../billing/subscription-timeline.js';
import { parseCatalog, type Catalog } from '../../core/catalog.js';
import type { PublishedCatalog } from '../../core/catalog/tables.js';
import { eventSetDigest } from '../../core/event-set.js';
import { addDecimals, compareDecimals, formatDecimal, parseDecimal, ZERO } from '../../core/decimal.js';
import { parseInstant, type Instant, type Period } from '../../core/time.js';

/** Rating without an engine: usage is counted from a list, so that a test is subscriptions and numbers. */
export interface Used {
  readonly id: string;
  readonly at: Instant;
  readonly quantity: string;
  readonly orgId?: string;
  readonly meterId?: string;
  readonly packageId?: string;
  readonly ownKey?: boolean;
}

export interface Rating {
  readonly versions: readonly PublishedCatalog[];
  readonly events: readonly SubscriptionEvent[];
  readonly used: readonly Used[];
  readonly ending: Period;
  readonly asOf: Instant;
}

export const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
export const at = parseInstant;

/** A period written as two instants. */
export const between = (start: string, end: string): Period => ({ start: at(start), end: at(end) });

const METER = {
  name: 'Operations',
  unit: 'operation',
  stream: 'executions',
  eventType: 'execution.completed',
  key: 'ops',
  aggregation: 'sum',
};
const MONTHLY = { amount: '49.00', currency: 'USD', interval: 'month' };

/** A plan of $49.00 a month; what is named beside it is changed. */
export function plan(more: object = {}): object {
  return { name: 'A plan', price: MONTHLY, ...more };
}

export function pack(more: object = {}): object {
  return {
    name: 'A package',
    layer: 'workflow',
    job: 'Work',
    surface: 'A screen',
    price: MONTHLY,
    firstValue: { event: 'first_value', description: 'First value', within: { minutes: 15 } },
    maturity: { onboarding: true, safeDefaults: true, auditLogs: true, uninstall: 'rollback' },
    ...more,
  };
}

interface Sections {
  readonly zone?: string;
  readonly currencies?: readonly string[];
  readonly meters?: object;
  readonly plans?: Readonly<Record<string, object>>;
  readonly packages?: Readonly<Record<string, object>>;
  readonly bundles?: object;
  readonly addons?: object;
}

/** One meter, `ops`, a sum; in UTC; sold in dollars. Plans are on tiers in their order. */
export function catalogDocument(sections: Sections): object {
  return {
    catalog: 'rated',
    name: 'Rated',
    zone: 'UTC',
    currencies: ['USD', 'EUR'],
    reportingCurrency: sections.currencies?.[0] ?? 'USD',
    segments: {
      all_of_them: {
        name: 'All',
        profile: 'Everybody',
        role: 'primary',
        idealCustomer: true,
        motion: 'self_serve',
        priority: 1,
      },
    },
    ...sections,
    plans: Object.fromEntries(
      Object.entries(sections.plans ?? {}).map(([id, one], index) => [id, { ...one, tier: index + 1 }]),
    ),
    meters: { ops: METER, ...sections.meters },
  };
}

export function catalogOf(sections: Sections): Catalog {
  const result = parseCatalog(catalogDocument(sections));
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.catalog;
}

export interface Item {
  readonly kind?: 'plan' | 'addon' | 'bundle' | 'package';
  readonly productId: string;
  readonly quantity?: string | number;
  readonly interval?: string;
}

/** A subscription event. `data` holds whatever differs from an active one in dollars. */
export function told(
  type: 'started' | 'changed' | 'paused' | 'resumed' | 'canceled',
  time: string,
  items: readonly Item[] | null,
  data: object = {},
  { orgId = 'org_1', subscriptionId = 'sub_1' } = {},
): SubscriptionEvent {
  const filled = (items ?? []).map((item, index) => ({
    itemId: `si_${index}`,
    kind: 'plan',
    quantity: 1,
    unitAmountMinor: 4900,
    interval: 'month',
    intervalCount: 1,
    ...item,
  }));
  const state = { subscriptionId, currency: 'USD', ...(items !== null && { items: filled }), ...data };
  return {
    orgId,
    type: `subscription.${type}`,
    source: '/billing',
    eventId: `${subscriptionId} ${type} ${time}`,
    at: at(time),
    data: JSON.stringify(state),
  };
}

export function uses(quantity: string | number, time: string, more: Partial<Used> = {}): Used {
  return { id: `${time} ${quantity}`, at: at(time), quantity: String(quantity), ...more };
}

export interface Rated {
  readonly lines: readonly OverageLine[];
  readonly questions: readonly OverageQuestion[];
  readonly usage: ReadonlyMap<string, WindowTotal>;
  /** Ids of the events that each line counted. */
  readonly counted: ReadonlyMap<string, readonly string[]>;
}

/** The plan of a month: one catalog, or versions. */
export function rate(
  catalog: Catalog | readonly PublishedCatalog[],
  events: readonly SubscriptionEvent[],
  used: readonly Used[],
  ending: Period,
  asOf: Instant = at('2100-01-01T00:00:00Z'),
  choices: readonly ChosenStop[] = [],
): Rated {
  const questions = overageQuestions(booksOf(catalog, events, [], choices), ending, asOf);
  const { usage, counted } = measured(questions, used);
  return { ...planOverage(questions, usage), questions, usage, counted };
}

export interface Prepaid {
  readonly granted?: readonly CreditEvent[];
  readonly spent?: SpentCredits;
  readonly billsGuesses?: boolean;
  readonly signed?: readonly ContractEvent[];
  readonly choices?: readonly ChosenStop[];
}

/** All lines of a month, usage and what changes what it comes to. */
export function adjusted(
  catalog: Catalog | readonly PublishedCatalog[],
  events: readonly SubscriptionEvent[],
  used: readonly Used[],
  ending: Period,
  { granted: credits = [], spent, billsGuesses = true, signed: contracts = [], choices = [] }: Prepaid = {},
): OverageLine[] {
  const asOf = at('2100-01-01T00:00:00Z');
  const books = booksOf(catalog, events, contracts, choices);
  const questions = overageQuestions(books, ending, asOf);
  const rated = rateUsage(questions, measured(questions, used).usage);
  const purse = new Purse(creditsOf(credits), spent);
  return adjustUsage(rated, questions, endedTerms(books, ending, asOf), purse, { md5, billsGuesses });
}

/** A credit event, of 1 August 2026 where nothing else is said. */
export function granted(
  creditId: string,
  data: object,
  { time = '2026-08-01T00:00:00Z', orgId = 'org_1' } = {},
): CreditEvent {
  return {
    ...{ orgId, source: '/billing', eventId: `${creditId} ${time}`, at: at(time) },
    data: JSON.stringify({ creditId, reason: 'a test', ...data }),
  };
}

/** What an org picked, from an instant on: `hard`, `soft`, `default`, or a soft stop up to a cap in cents. */
export function chose(
  picked: ChosenStop['stop'] | bigint,
  time: string,
  { meterId = null, orgId = 'org_1' }: { readonly meterId?: string | null; readonly orgId?: string } = {},
): ChosenStop {
  return {
    ...{ choiceId: `${time} ${meterId ?? ''}`, orgId, meterId, reason: 'a test', chosenBy: 'ana' },
    stop: typeof picked === 'bigint' ? 'soft' : picked,
    spendCap: typeof picked === 'bigint' ? { amountMinor: picked, currency: 'USD' } : null,
    effectiveAt: at(time),
  };
}

function booksOf(
  catalog: Catalog | readonly PublishedCatalog[],
  events: readonly SubscriptionEvent[],
  contracts: readonly ContractEvent[] = [],
  choices: readonly ChosenStop[] = [],
): OverageBooks {
  const versions = 'meters' in catalog ? soleVersion(catalog) : catalog;
  const subscriptions = withContracts(subscriptionsOf(events), contractsOf(contracts));
  return { subscriptions, catalogAt: catalogVersions(versions), md5, choicesIn: choicesInOf(choices) };
}

/** A contract of the year 2026 where nothing else is said, signed as it begins. */
export function signed(
  contractId: string,
  overrides: object,
  { startsAt = '2026-01-01T00:00:00Z', endsAt = '2027-01-01T00:00:00Z', orgId = 'org_1' } = {},
): ContractEvent {
  const data = { contractId, startsAt, endsAt, totalMinor: '0', currency: 'USD', overrides };
  return {
    ...{ orgId, source: '/billing', eventId: contractId, at: at(startsAt) },
    data: JSON.stringify(data),
  };
}

function measured(questions: readonly OverageQuestion[], used: readonly Used[]) {
  const usage = new Map<string, WindowTotal>();
  const counted = new Map<string, string[]>();
  for (const { lineId, windows } of questions) {
    const ids: string[] = [];
    for (const window of windows) {
      const inside = used.filter((one) => isIn(one, window));
      ids.push(...inside.map(({ id }) => id));
      usage.set(window.windowId, totalOf(inside, window));
    }
    counted.set(lineId, ids);
  }
  return { usage, counted };
}

function isIn(
  { at: time, orgId = 'org_1', meterId = 'ops', packageId = '', ownKey }: Used,
  window: UsageWindow,
): boolean {
  return (
    orgId === window.orgId &&
    meterId === window.meterId &&
    time >= window.start &&
    time < window.end &&
    !(window.skipsOwnKey && ownKey === true) &&
    !window.otherPackages.includes(packageId) &&
    (window.onlyPackages === null || window.onlyPackages.includes(packageId))
  );
}

function totalOf(inside: readonly Used[], { windowId, meter }: UsageWindow): WindowTotal {
  const quantities = inside.map(({ quantity }) => parseDecimal(quantity));
  const used =
    meter.aggregation === 'max'
      ? quantities.reduce((most, one) => (compareDecimals(one, most) > 0 ? one : most), ZERO)
      : quantities.reduce(addDecimals, ZERO);
  const counted = inside.map(({ id }) => ({ source: '/usage', eventId: id }));
  return {
    windowId,
    used: formatDecimal(used),
    events: inside.length,
    eventDigest: BigInt(eventSetDigest(counted, md5)),
  };
}

/** What a test says about a line: `used / included / over = amount, status`. */
export function summary({ used, included, overage, amount, status }: OverageLine): string {
  const money = amount === null ? 'nothing' : `${amount.amountMinor} ${amount.currency}`;
  return `${used} of ${included ?? 'any'}, ${overage} over: ${money}, ${status}`;
}
