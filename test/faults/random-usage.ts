import { rateUsage, type OverageLine } from '../../billing/overage-plan.js';
import { derivedId } from '../../core/ids.js';
import {
  addMonths,
  formatDate,
  parseDate,
  parseInstant,
  type Instant,
  type Period,
} from '../../core/time.js';
import { expectedOverage } from '../oracles/overage-oracle.js';
import { standingEvents, type StandingEvent } from '../oracles/standing-events.js';
import type { Dice } from '../support/dice.js';
import { catalogOf, md5, plan, rate, type Used } from '../support/rating.js';
import type { SubscriptionEvent } from '../../billing/subscription-timeline.js';

/*
 * What a few orgs do over some months, drawn step by step as it becomes known: usage of now and of months that were billed, what is
 * voided or amended of it, changes of plan, also back-dated, subscriptions that end and begin in another currency, credits.
 */

const FIRST_MONTH = '2026-01-01';
const CURRENCIES = ['USD', 'EUR', 'JPY', 'KWD'] as const;
const priced = (amounts: readonly [string, string, string, string]) => ({
  ...{ model: 'per_unit', amount: amounts[0], currency: 'USD' },
  otherCurrencies: CURRENCIES.slice(1).map((currency, index) => ({ currency, amount: amounts[index + 1] })),
});
const overage = {
  ops: priced(['0.0137', '0.0121', '1.7', '0.00411']),
  runs: priced(['0.09', '0.08', '11', '0.0273']),
  storage: priced(['0.25', '0.23', '33', '0.0777']),
};
const recorded = (key: string, aggregation: string) => ({
  ...{ name: key, unit: 'unit', stream: 'executions', eventType: 'usage.recorded', key, aggregation },
});
const METER_IDS = ['ops', 'runs', 'storage'] as const;
const included = (ops: string, runs: string, storage: string) => ({
  ops: { quantity: ops },
  runs: { quantity: runs },
  storage: { quantity: storage },
});

export const RANDOM_MONTHS_CATALOG = catalogOf({
  currencies: CURRENCIES,
  meters: {
    ops: recorded('ops', 'sum'),
    runs: recorded('runs', 'count'),
    storage: recorded('storage', 'max'),
  },
  plans: {
    small: plan({ allowances: included('100', '2', '10'), overage }),
    large: plan({ allowances: included('400', '5', '50'), overage }),
  },
});

/** A line of a rater that is no usage: money that is taken off. */
interface Credit {
  readonly id: string;
  readonly orgId: string;
  readonly month: number;
  readonly currency: string;
  readonly amountMinor: bigint;
}

interface Sub {
  readonly subscriptionId: string;
  readonly orgId: string;
  readonly currency: string;
  readonly isOver: boolean;
}

export const HAPPENINGS = [
  ...(['late usage', 'void', 'amendment', 'another plan', 'another currency'] as const),
  ...(['credit', 'credit taken back'] as const),
] as const;
const USUAL = ['late usage', 'void', 'amendment'] as const;

export class RandomUsage {
  /** As the log has them. */
  private readonly lines: string[] = [];
  private credits: readonly Credit[] = [];
  private readonly subs: Sub[] = [];
  private readonly sent: { id: string; orgId: string; data: object; at: string }[] = [];
  private count = 0;
  /** Whole months that are over. */
  private monthsOver = 0;
  readonly happened = new Map<string, number>();

  constructor(
    private readonly dice: Dice,
    private readonly orgIds: readonly string[],
  ) {
    for (const orgId of orgIds) this.subscribe(orgId, dice.pick(CURRENCIES));
  }

  /** Of months that are over. */
  get months(): readonly number[] {
    return Array.from({ length: this.monthsOver }, (_, month) => month);
  }

  /** The next month goes by, with usage of every org. */
  passAMonth(): void {
    for (const orgId of this.orgIds) {
      for (let times = this.dice.upTo(6); times > 0; times -= 1) this.use(orgId, this.monthsOver);
    }
    this.monthsOver += 1;
  }

  /** Something becomes known. */
  happen(): void {
    const { dice } = this;
    const orgId = dice.pick(this.orgIds);
    const happenings: Readonly<Record<(typeof HAPPENINGS)[number], () => void>> = {
      'late usage': () => {
        this.use(orgId, dice.upTo(this.monthsOver + 1));
      },
      void: () => {
        this.correct('event.voided', {});
      },
      amendment: () => {
        this.correct('event.amended', { quantity: String(dice.upTo(900)) });
      },
      'another plan': () => {
        this.changePlan(orgId);
      },
      'another currency': () => {
        this.changeCurrency(orgId);
      },
      credit: () => {
        this.grant(orgId);
      },
      'credit taken back': () => {
        this.credits = this.credits.filter(() => !dice.once(3));
      },
    };
    const name = dice.pick([...HAPPENINGS, ...USUAL]);
    happenings[name]();
    this.happened.set(name, (this.happened.get(name) ?? 0) + 1);
  }

  /** In every month by every org, so much that nobody has it included. */
  useALot(): void {
    for (const orgId of this.orgIds) {
      for (const month of this.months) {
        this.tell('usage.recorded', orgId, this.instantIn(month), { meter: 'ops', quantity: '5000' });
      }
    }
  }

  monthOf(month: number): { readonly month: string; readonly ending: Period } {
    const first = addMonths(parseDate(FIRST_MONTH), month);
    const at = (date: string): Instant => parseInstant(`${date}T00:00:00Z`);
    return {
      month: formatDate(first),
      ending: { start: at(formatDate(first)), end: at(formatDate(addMonths(first, 1))) },
    };
  }

  /** Every line of a month as the product's own rater says, over usage that a list adds up. */
  rated(month: number): OverageLine[] {
    const { ending } = this.monthOf(month);
    const events = this.standing();
    const { questions, usage } = rate(
      RANDOM_MONTHS_CATALOG,
      events.filter(({ type }) => type.startsWith('subscription.')).map(subscriptionEvent),
      events.filter(({ type }) => type === 'usage.recorded').map(usedOf),
      ending,
      this.asOf(),
    );
    return [
      ...rateUsage(questions, usage),
      ...this.creditsOf(month).map((credit) => creditLine(credit, ending)),
    ];
  }

  /** What a second rater says, which shares nothing with the first: by line, who owes what in which currency. */
  expected(month: number) {
    const versions = [{ catalog: RANDOM_MONTHS_CATALOG, from: null }];
    const lines = expectedOverage(this.standing(), versions, this.monthOf(month).ending, this.asOf());
    return [
      ...lines.map(({ orgId, subscriptionId, meterId, start, currency, amountMinor }) => ({
        line: `${subscriptionId} ${meterId} ${start}`,
        ...{ orgId, currency, amountMinor: amountMinor ?? 0n },
      })),
      ...this.creditsOf(month).map(({ id, orgId, currency, amountMinor }) => ({
        ...{ line: id, orgId, currency, amountMinor },
      })),
    ];
  }

  private asOf(): Instant {
    return this.monthOf(this.monthsOver).ending.start;
  }

  private standing(): StandingEvent[] {
    return standingEvents(this.lines, '2100-01-01T00:00:00Z');
  }

  private creditsOf(month: number): readonly Credit[] {
    return this.credits.filter((credit) => credit.month === month);
  }

  private instantIn(month: number): string {
    const day = String(1 + this.dice.upTo(28)).padStart(2, '0');
    return `${this.monthOf(month).month.slice(0, 8)}${day}T${this.dice.pick(['00:00:00', '09:41:07', '23:59:59.999999'])}Z`;
  }

  private tell(type: string, orgId: string, time: string, data: object): string {
    const id = `e${(this.count += 1)}`;
    this.lines.push(JSON.stringify({ id, source: '/drawn', type, subject: orgId, time, data }));
    return id;
  }

  private use(orgId: string, month: number): void {
    const meter = this.dice.pick(METER_IDS);
    const data = { meter, quantity: `${this.dice.upTo(700)}.${this.dice.upTo(100)}` };
    const at = this.instantIn(month);
    this.sent.push({ id: this.tell('usage.recorded', orgId, at, data), orgId, data, at });
  }

  private correct(type: string, changed: object): void {
    if (this.sent.length === 0) return;
    const { id, orgId, data, at } = this.dice.pick(this.sent);
    const target = { targetType: 'usage.recorded', targetSource: '/drawn', targetId: id, reason: 'wrong' };
    this.tell(
      type,
      orgId,
      at,
      type === 'event.voided' ? target : { ...target, data: { ...data, ...changed } },
    );
  }

  private subscribe(orgId: string, currency: string): void {
    const subscriptionId = `sub_${orgId}_${this.subs.length}`;
    this.subs.push({ subscriptionId, orgId, currency, isOver: false });
    this.tellSub('started', { subscriptionId, orgId, currency }, this.monthsOver);
  }

  private tellSub(type: string, sub: Omit<Sub, 'isOver'>, month: number): void {
    const { subscriptionId, orgId, currency } = sub;
    const item = {
      ...{ itemId: 'si', kind: 'plan', productId: this.dice.pick(['small', 'large']), quantity: 1 },
      ...{ unitAmountMinor: 4900, interval: 'month', intervalCount: 1 },
    };
    const items = type === 'canceled' ? [] : [item];
    this.tell(`subscription.${type}`, orgId, this.instantIn(month), { subscriptionId, currency, items });
  }

  /** Of a subscription that runs; sometimes of a month that was billed. */
  private changePlan(orgId: string): void {
    const sub = this.subs.findLast((one) => one.orgId === orgId && !one.isOver);
    if (sub !== undefined) this.tellSub('changed', sub, this.dice.upTo(this.monthsOver + 1));
  }

  private changeCurrency(orgId: string): void {
    const place = this.subs.findLastIndex((one) => one.orgId === orgId && !one.isOver);
    const sub = this.subs[place];
    if (sub === undefined) return;
    this.tellSub('canceled', sub, this.monthsOver);
    this.subs[place] = { ...sub, isOver: true };
    this.subscribe(orgId, this.dice.pick(CURRENCIES.filter((currency) => currency !== sub.currency)));
  }

  private grant(orgId: string): void {
    const sub = this.subs.findLast((one) => one.orgId === orgId);
    if (sub === undefined || this.monthsOver === 0) return;
    const id = `credit ${(this.count += 1)}`;
    const amountMinor = -BigInt(1 + this.dice.upTo(900));
    const month = this.dice.upTo(this.monthsOver);
    this.credits = [...this.credits, { id, orgId, month, currency: sub.currency, amountMinor }];
  }
}

function subscriptionEvent({ subject, type, source, id, at, data }: StandingEvent): SubscriptionEvent {
  return { orgId: subject, type, source, eventId: id, at, data: JSON.stringify(data) };
}

function usedOf({ subject, id, at, data }: StandingEvent): Used {
  const { meter, quantity } = data as { meter: string; quantity: string };
  return { id, at, orgId: subject, meterId: meter, quantity: meter === 'runs' ? '1' : quantity };
}

function creditLine({ id, orgId, currency, amountMinor }: Credit, period: Period): OverageLine {
  return {
    ...{ lineId: derivedId('ovl', [orgId, id], md5), orgId, subscriptionId: id, meterId: 'credit', period },
    ...{ used: '0', included: null, overage: '0', events: 0, eventDigest: '0' },
    ...{ status: 'due', reason: null, amount: { amountMinor, currency } },
    ...{
      isAssumed: false,
      isIncludedAssumed: false,
      stopPolicy: 'soft',
      catalogVersion: null,
      adjustment: null,
    },
  };
}
