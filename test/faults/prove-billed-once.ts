import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { eq } from 'drizzle-orm';
import { expect } from 'vitest';
import type Stripe from 'stripe';
import { NO_APPROVAL } from '../../billing/overage-run/approval.js';
import { BillStore } from '../../billing/overage-run/bill-store.js';
import type { WithdrawDeps } from '../../billing/overage-run/withdraw-bill.js';
import { planOverages, runOverages, type RatedUsage } from '../../billing/overage-run/overage-run.js';
import { stripeAmount } from '../../platform/outbound/stripe/stripe-amounts.js';
import type { OverageLine } from '../../billing/overage-plan.js';
import type { LateUsage } from '../../core/catalog/usage.js';
import { HeadgateError } from '../../core/errors.js';
import { MICROS_PER_SECOND, parseInstant } from '../../core/time.js';
import type { LocalStripe } from '../../fixtures/stripe/local-stripe.js';
import { AuditLog } from '../../platform/audit-log.js';
import { SecretText } from '../../platform/secrets.js';
import { INTENT_MARK } from '../../platform/outbound/intent.js';
import { IntentStore } from '../../platform/outbound/intent-store.js';
import type { OtherSide } from '../../platform/outbound/other-side.js';
import { readCreditNote } from '../../platform/outbound/stripe/read-credit-note.js';
import { readInvoice, type ReadInvoice } from '../../platform/outbound/stripe/read-invoice.js';
import { removeDraft } from '../../platform/outbound/stripe/remove-draft.js';
import { stripeClient } from '../../platform/outbound/stripe/stripe-client.js';
import { StripeSide } from '../../platform/outbound/stripe/stripe-side.js';
import { openPgliteSql } from '../../platform/sql/pglite-sql.js';
import { billLines, bills, carryMovements, stripeCustomers } from '../../platform/sql/billing-schema.js';
import type { Sql } from '../../platform/sql/sql.js';
import { sdkFor, startTestStripe } from '../support/local-stripe.js';
import { stepped, stepping, type Step } from '../support/stepping.js';
import { dueLine } from '../support/due-line.js';

export class Killed extends Error {}

const NOW = parseInstant('2026-10-01T06:00:00Z');
const DAY_SECONDS = 86_400;
const MONTH = '2026-09-01';
const ENDING = { start: parseInstant('2026-09-01T00:00:00Z'), end: parseInstant('2026-10-01T00:00:00Z') };
/** Short, so that whoever comes after a killed run need not wait long. */
const LEASE_MS = 150;
const EMPTY = { executions: [], installs: [], billing: [], crm: [] };

/** A month of an account of its own, with customers who owe. */
export interface Month {
  readonly customers: readonly { readonly orgId: string; readonly customerId: string }[];
  readonly lines: readonly OverageLine[];
  readonly store: BillStore;
  /** Of all its meters; a credit note where nothing else is said. */
  readonly lateUsage?: LateUsage;
}

/** What a process that runs the overages is made of. */
export interface Runner {
  readonly deps: WithdrawDeps;
  /** Every call to Stripe and every local commit so far, before and after each. */
  readonly steps: readonly string[];
  /** The step at which it died; null while it lives. */
  readonly diedAt: () => string | null;
}

export interface RunnerOptions {
  /** At this step it dies: nothing of it reaches store or Stripe from then on. */
  readonly dieAt?: number;
  /** At this step it is stopped, as a process is that the machine suspends, until the promise that it gives is kept. */
  readonly sleepAt?: { readonly step: string; readonly sleep: () => Promise<void> };
  /** How long an answer of Stripe is waited for. */
  readonly timeoutMs?: number;
  /** Another way of sending: what a test takes out, to see that it is missed. */
  readonly side?: (side: OtherSide) => OtherSide;
  /** Another way of looking at an invoice before it is made final. */
  readonly seen?: (invoice: ReadInvoice) => ReadInvoice;
}

/** One store and one Stripe for many months, each in an account of its own: they have nothing to do with one another. */
export class OverageBed {
  private months = 0;
  private now = NOW;

  constructor(
    readonly server: LocalStripe,
    readonly sql: Sql,
  ) {}

  /** With a Stripe and a store of its own, both in this process. */
  static async open(): Promise<OverageBed> {
    const sql = await openPgliteSql('memory://');
    await sql.migrate();
    return new OverageBed(await startTestStripe(), sql);
  }

  async close(): Promise<void> {
    await this.sql.close();
    await this.server.stop();
  }

  get stripe(): Stripe {
    return sdkFor(this.server.url, this.server.secretKey);
  }

  /** @param meters lines for each customer, each worth more than the one before */
  async openMonth(customerCount: number, meters: number): Promise<Month> {
    const account = { account: `acct_${(this.months += 1)}`, mode: 'test' as const };
    const customers = await Promise.all(
      Array.from({ length: customerCount }, async (_, index) => {
        const { id } = await this.stripe.customers.create({ name: `Org ${index}` });
        return { orgId: `org_${this.months}_${index}`, customerId: id };
      }),
    );
    await this.sql.database.insert(stripeCustomers).values(
      customers.map((one) => ({
        ...{ ...account, ...one, currency: null, daysUntilDue: null, linkedAt: NOW, linkedBy: 'test' },
        collectionMethod: 'charge_automatically' as const,
      })),
    );
    const lines = customers.flatMap(({ orgId }, place) =>
      Array.from({ length: meters }, (_, meter) =>
        dueLine(orgId, `meter_${meter}`, BigInt(100 * (place + 1) + meter), ENDING),
      ),
    );
    return { customers, lines, store: new BillStore(this.sql, account, new IntentStore(this.sql)) };
  }

  /** A day later, by our clock and by Stripe's, which has forgotten all keys by then. */
  passADay(): void {
    this.now += BigInt(DAY_SECONDS + 60) * MICROS_PER_SECOND;
    this.server.clock.advance(DAY_SECONDS + 60);
  }

  runner(
    { store }: Month,
    {
      dieAt,
      sleepAt,
      timeoutMs = 5_000,
      side = (own) => own,
      seen = (invoice) => invoice,
    }: RunnerOptions = {},
  ): Runner {
    const steps: string[] = [];
    let diedAt: string | null = null;
    let isAsleep = false;
    const step = async (name: string): Promise<void> => {
      if (diedAt !== null || steps.length === dieAt) {
        diedAt ??= name;
        throw new Killed(name);
      }
      const isFirst = !steps.includes(name);
      steps.push(name);
      if (sleepAt?.step !== name || !isFirst) return;
      isAsleep = true;
      await sleepAt.sleep();
      isAsleep = false;
    };
    const sql = dyingSql(this.sql, () => diedAt !== null || isAsleep, step);
    const stripe = stripeClient({
      secretKey: new SecretText(this.server.secretKey),
      url: new SecretText(this.server.url),
      timeoutMs,
    });
    const intents = stepping(new IntentStore(sql), ['begin', 'distrustKey', 'settle', 'stop'], step);
    const deps: WithdrawDeps = {
      sql,
      audit: new AuditLog(sql),
      store: new BillStore(sql, store.account, intents),
      intents,
      side: stepping(side(new StripeSide(stripe)), ['send', 'find'], step),
      readCreditNote: (creditNoteId) => stepped('read', step, () => readCreditNote(stripe, creditNoteId)),
      readInvoice: (invoiceId) =>
        stepped('read', step, async () => {
          const invoice = await readInvoice(stripe, invoiceId);
          return invoice === null ? null : seen(invoice);
        }),
      removeDraft: (draft) => stepped('remove', step, () => removeDraft(stripe, draft)),
      clock: () => this.now,
      wait: (ms) => delay(Math.min(ms, 20)),
      holder: 'a runner',
      leaseMs: LEASE_MS,
      // Places are counted, so one thing happens after the other.
      concurrency: 1,
      onProgress: () => undefined,
      onUnexpected: (error) => {
        throw error;
      },
      signal: new AbortController().signal,
    };
    return { deps, steps, diedAt: () => diedAt };
  }

  run(month: Month, { deps }: Runner, runId?: string) {
    const request = { month: MONTH, ending: ENDING, orgId: null, approval: NO_APPROVAL, actor: 'test' };
    return runOverages(usageOf(month, runId), request, deps);
  }

  /** Starts over until all is done: as a schedule does, or somebody who tries again. */
  async finish(month: Month): Promise<void> {
    for (let attempt = 0; attempt < 50; attempt += 1) {
      try {
        const { outcomes } = await this.run(month, this.runner(month));
        if (outcomes.every(({ outcome }) => outcome === 'finalized')) return;
      } catch (error) {
        if (!(error instanceof HeadgateError)) throw error;
      }
      await delay(LEASE_MS / 3);
    }
    throw new Error('the run does not come to its end');
  }

  async statesOf({ store }: Month): Promise<string[]> {
    const kept = await this.sql.database.select().from(bills).where(eq(bills.account, store.account.account));
    return kept.map(({ state }) => state);
  }

  /**
   * Each line on exactly one item of exactly one final invoice, of its amount; nothing else anywhere; nothing left to do.
   */
  async expectBilledOnce(month: Month): Promise<void> {
    const { account } = month.store.account;
    const database = this.sql.database;
    const kept = (await database.select().from(bills)).filter((bill) => bill.account === account);
    const entered = (await database.select().from(billLines)).filter((line) => line.account === account);
    const waiting = (await database.select().from(carryMovements)).filter((one) => one.account === account);
    expect(kept.map(({ orgId, state }) => [orgId, state]).sort()).toEqual(
      month.customers.map(({ orgId }) => [orgId, 'finalized']).sort(),
    );
    expect(waiting).toEqual([]);
    expect(
      entered.map(({ lineId, sequence, amountMinor }) => [lineId, sequence, amountMinor]).sort(),
    ).toEqual(month.lines.map(({ lineId, amount }) => [lineId, 1, amount?.amountMinor]).sort());
    for (const { orgId, customerId } of month.customers) {
      const { data: invoices } = await this.stripe.invoices.list({ customer: customerId, limit: 100 });
      expect(invoices.map(({ status }) => status)).toEqual(['open']);
      const { data: items } = await this.stripe.invoiceItems.list({ customer: customerId, limit: 100 });
      const mine = entered.filter((line) => line.orgId === orgId);
      expect(items.map(({ amount, metadata }) => [metadata?.[INTENT_MARK], amount]).sort()).toEqual(
        mine
          .map(({ intentId, amountMinor, currency }) => [intentId, stripeAmount({ amountMinor, currency })])
          .sort(),
      );
      expect(kept.find((bill) => bill.orgId === orgId)?.invoiceId).toBe(invoices[0]?.id);
    }
    const request = { month: MONTH, ending: ENDING, orgId: null, approval: NO_APPROVAL };
    expect(await planOverages(usageOf(month), request, this.runner(month).deps)).toEqual({
      ...{ bills: [], carried: [], movements: [], heldBack: [] },
    });
  }
}

/** What a process that dies at a place leaves is finished by the next one, and billed once. */
export async function proveBilledOnce(bed: OverageBed, month: Month, dieAt: number): Promise<void> {
  await expect(bed.run(month, bed.runner(month, { dieAt }))).rejects.toThrow(Killed);
  await bed.finish(month);
  await bed.expectBilledOnce(month);
}

/** The same, but it is a day later when the next one starts: keys are forgotten, and what is there must be found. */
export async function proveFoundAgain(
  bed: OverageBed,
  month: Month,
  options: RunnerOptions & { readonly dieAt: number },
): Promise<void> {
  await expect(bed.run(month, bed.runner(month, options))).rejects.toThrow(Killed);
  bed.passADay();
  await bed.finish(month);
  await bed.expectBilledOnce(month);
}

/** An answer that is lost, as often as the SDK asks again by itself: the same request is sent, and makes nothing new. */
export async function proveLostAnswer(
  bed: OverageBed,
  month: Month,
  options: RunnerOptions = {},
): Promise<void> {
  bed.server.faults.add({ kind: 'lose_response', method: 'POST', path: '/v1/invoices', times: 2 });
  await bed.run(month, bed.runner(month, options));
  await bed.finish(month);
  await bed.expectBilledOnce(month);
}

/** A process that is suspended for a day, between writing down that it sends and sending, finds out that it lost its place. */
export async function proveSleeperSendsNothing(bed: OverageBed, month: Month): Promise<void> {
  const [bedtime, morning] = [new AbortController(), new AbortController()];
  const [fellAsleep, wakesUp] = [once(bedtime.signal, 'abort'), once(morning.signal, 'abort')];
  const sleeper = bed.runner(month, {
    sleepAt: {
      step: 'after begin',
      sleep: async () => {
        bedtime.abort();
        await wakesUp;
      },
    },
  });
  const slept = bed.run(month, sleeper);
  await fellAsleep;
  bed.passADay();
  await bed.finish(month);
  morning.abort();
  await slept;
  await bed.expectBilledOnce(month);
}

/** What somebody else puts on our draft at the last moment keeps it from being final; taken off again, it is billed once. */
export async function proveForeignItemStops(
  bed: OverageBed,
  month: Month,
  options: Pick<RunnerOptions, 'seen'> = {},
): Promise<void> {
  const [customer] = month.customers;
  const foreign: string[] = [];
  const addForeign = async (): Promise<void> => {
    const { data } = await bed.stripe.invoices.list({ customer: customer?.customerId ?? '' });
    const item = { customer: customer?.customerId ?? '', amount: 9_900, currency: 'usd' };
    const { id } = await bed.stripe.invoiceItems.create({ ...item, invoice: data[0]?.id ?? '' });
    foreign.push(id);
  };
  const runner = bed.runner(month, { ...options, sleepAt: { step: 'before read', sleep: addForeign } });
  await bed.run(month, runner);
  expect(await bed.statesOf(month)).toEqual(['blocked']);
  for (const id of foreign) await bed.stripe.invoiceItems.del(id);
  await bed.finish(month);
  await bed.expectBilledOnce(month);
}

/**
 * Every life of the process dies after a few steps, and the next one goes on, until all is done: each place of each customer is died at,
 * now and then.
 *
 * @returns how often it died at which step
 */
export async function proveManyDeaths(
  bed: OverageBed,
  month: Month,
  stepsOfLife: () => number,
): Promise<ReadonlyMap<string, number>> {
  const deaths = new Map<string, number>();
  for (;;) {
    const runner = bed.runner(month, { dieAt: stepsOfLife() });
    try {
      const { outcomes } = await bed.run(month, runner);
      if (outcomes.every(({ outcome }) => outcome === 'finalized')) break;
    } catch (error) {
      if (!(error instanceof Killed || error instanceof HeadgateError)) throw error;
    }
    const step = runner.diedAt();
    if (step !== null) deaths.set(step, (deaths.get(step) ?? 0) + 1);
    await delay(LEASE_MS);
  }
  await bed.finish(month);
  await bed.expectBilledOnce(month);
  return deaths;
}

/** Runs that were billed from, as they rate again. */
const RATED = new Map<string, readonly OverageLine[]>();
let runsRated = 0;

/** Each run is newer than the one before, and rates what it rated. */
function usageOf(
  { lines, lateUsage = 'credit_note' }: Month,
  runId = `run_${String((runsRated += 1)).padStart(9, '0')}`,
): RatedUsage {
  RATED.set(runId, lines);
  return {
    runId,
    watermark: EMPTY,
    lines: () => Promise.resolve(lines),
    lateUsage: () => lateUsage,
    again: (billedFrom) => Promise.resolve(RATED.get(billedFrom) ?? []),
  };
}

/** A store whose transactions are steps, and that a dead process does not reach. */
function dyingSql(sql: Sql, isDead: () => boolean, step: Step): Sql {
  const database = new Proxy(sql.database, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...given: unknown[]): unknown => {
        if (isDead()) throw new Killed(String(name));
        const call = (): unknown => (value as (...all: unknown[]) => unknown).apply(target, given);
        return name === 'transaction' ? stepped('commit', step, () => call() as Promise<unknown>) : call();
      };
    },
  });
  return { ...sql, database, isShared: sql.isShared, survivesPowerCut: sql.survivesPowerCut };
}
