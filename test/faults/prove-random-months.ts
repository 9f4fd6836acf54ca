import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { NO_APPROVAL } from '../../billing/overage-run/approval.js';
import { checkBill } from '../../billing/overage-run/check-bill.js';
import { planOverages, runOverages, type OverageReport } from '../../billing/overage-run/overage-run.js';
import { stripeAmount } from '../../platform/outbound/stripe/stripe-amounts.js';
import type { OverageLine } from '../../billing/overage-plan.js';
import { HeadgateError } from '../../core/errors.js';
import { idOf } from '../../platform/outbound/stripe/id-of.js';
import { INTENT_MARK } from '../../platform/outbound/intent.js';
import { billLines, bills, carryMovements } from '../../platform/sql/billing-schema.js';
import { Dice } from '../support/dice.js';
import { CustomersAtStripe } from './customers-at-stripe.js';
import { Killed, type Month, type OverageBed, type Runner, type RunnerOptions } from './prove-billed-once.js';
import { RandomUsage } from './random-usage.js';

/*
 * Months of a few orgs, drawn: what they use, what becomes known late, what is taken back; and after each of it a run of the
 * overages, or none, in which something goes wrong. In the end a quiet run, and then what stands on final invoices and what waits must be
 * what a second rater says, to the last unit.
 *
 * A build of the marts for each step would take minutes, so lines are not read from one: the product's own rater rates a list of
 * events (`RandomUsage.rated`), and the judge is the oracle, which shares no code with it. That SQL over facts says what such a list says is
 * held by test/integration/aggregations.test.ts and overage.test.ts. Lines of money that is no usage go with them: credits are negative ones.
 */

const MONTHS = 5;
const ORGS = 3;
const STEPS_A_MONTH = 3;
/** Enough to end in the middle of a customer, or of the next one. */
const LONGEST_LIFE = 40;
const TIMEOUT_MS = 1_000;

const FAULTS = [
  'lose_response',
  'error_500',
  'error_500_after',
  'rate_limit',
  'fail_before',
  'timeout',
] as const;
export type Trouble = (typeof FAULTS)[number] | 'none' | 'killed' | 'two runners' | 'no run' | 'a day passes';
export const TROUBLES: readonly Trouble[] = [
  ...FAULTS,
  ...(['none', 'killed', 'killed', 'two runners', 'no run', 'a day passes'] as const),
];

type Amounts = ReadonlyMap<string, bigint>;
const keyOf = (orgId: string, currency: string): string => `${orgId} ${currency}`;

export class RandomMonths {
  readonly troubles = new Map<Trouble, number>();
  readonly usage: RandomUsage;
  private readonly dice: Dice;
  private runs = 0;
  private readonly ratedBy = new Map<string, readonly OverageLine[]>();
  /** Credit notes there were in the end. */
  notes = 0;
  /** By line: the most that the second rater ever said of it. */
  private readonly mostSaid = new Map<string, { readonly key: string; amountMinor: bigint }>();
  private readonly atStripe: CustomersAtStripe;

  private constructor(
    private readonly bed: OverageBed,
    private readonly month: Month,
    seed: number,
  ) {
    this.atStripe = new CustomersAtStripe(bed.stripe, month.customers);
    this.dice = new Dice(seed);
    this.usage = new RandomUsage(
      this.dice,
      month.customers.map(({ orgId }) => orgId),
    );
  }

  static async open(bed: OverageBed, seed: number): Promise<RandomMonths> {
    const history = new RandomMonths(bed, await bed.openMonth(ORGS, 0), seed);
    await history.atStripe.leaveForeignThings();
    return history;
  }

  /** Everything that happens, but for the end. */
  async live(): Promise<void> {
    for (let month = 0; month < MONTHS; month += 1) {
      this.usage.passAMonth();
      for (let step = 0; step < STEPS_A_MONTH; step += 1) {
        // The month that just ended is billed first, then whatever becomes known of any.
        if (step > 0) for (let times = 1 + this.dice.upTo(3); times > 0; times -= 1) this.usage.happen();
        this.listen();
        // What is credited later goes to the customer's balance then.
        if (this.dice.once(3)) await this.atStripe.payOne((count) => this.dice.upTo(Math.max(1, count)));
        await this.runInTrouble(step === 0 ? month : this.dice.pick(this.usage.months));
        await this.expectNotOvercharged();
      }
    }
  }

  /** Nothing goes wrong any more, and every month is billed until nothing is left to do. */
  async settleDown(): Promise<void> {
    this.bed.server.faults.clear();
    for (let round = 0; round < 20; round += 1) if (await this.isFinished()) return;
    throw new Error('the runs do not come to their end');
  }

  /** A run takes back what is stuck of its own month alone, so every month has its turn before anything is said of any. */
  private async isFinished(): Promise<boolean> {
    const open: string[] = [];
    for (const month of this.usage.months) {
      for (let attempt = 0; attempt < 50; attempt += 1) {
        const report = await this.attempt(month, this.bed.runner(this.month));
        if (report === null) {
          await delay(50);
          continue;
        }
        open.push(
          ...report.outcomes.filter(({ outcome }) => outcome !== 'finalized').map(({ billId }) => billId),
        );
        break;
      }
    }
    return open.length === 0;
  }

  /** What stands on final invoices, what waits and the second rater; by org and currency. */
  async sums(): Promise<{ charged: Amounts; waiting: Amounts; expected: Amounts }> {
    const movements = (await this.bed.sql.database.select().from(carryMovements)).filter((one) =>
      this.isOurs(one),
    );
    return {
      charged: await this.charged(),
      waiting: summed(
        movements.map(({ orgId, currency, amountMinor }) => [keyOf(orgId, currency), amountMinor]),
      ),
      expected: summed(
        this.usage.months
          .flatMap((month) => this.usage.expected(month))
          .map(({ orgId, currency, amountMinor }) => [keyOf(orgId, currency), amountMinor]),
      ),
    };
  }

  /** Σ intents = rated, for each org and currency; each intent on one final invoice; nothing else was touched; nothing is left to do. */
  async expectSettled(): Promise<void> {
    const { charged, waiting, expected } = await this.sums();
    expect(nonZero(summed([...charged, ...waiting]))).toEqual(nonZero(expected));
    // What is owed back is never charged: whoever has something waiting has it because no bill could be made of it.
    const kept = (await this.bed.sql.database.select().from(bills)).filter((one) => this.isOurs(one));
    // What would have charged too much, or credited what was paid meanwhile, was taken back and made anew.
    const ends = kept.filter(({ state }) => state !== 'withdrawn');
    expect(ends.filter(({ state }) => state !== 'finalized')).toEqual([]);
    const { deps } = this.bed.runner(this.month);
    for (const bill of kept) expect(await checkBill(bill, deps)).toEqual([]);
    await this.expectEachIntentOnce();
    const [before, now] = await this.atStripe.foreignBeforeAndNow();
    expect(now).toEqual(before);
    for (const month of this.usage.months) {
      const request = { ...this.usage.monthOf(month), orgId: null, approval: NO_APPROVAL };
      expect(await planOverages(this.ratedUsage(month), request, deps)).toEqual({
        ...{ bills: [], carried: [], movements: [], heldBack: [] },
      });
    }
  }

  private isOurs({ account }: { readonly account: string }): boolean {
    return account === this.month.store.account.account;
  }

  /** Every item with our mark is one of a line, or of what was carried, on the invoice of its bill; and the other way round. */
  private async expectEachIntentOnce(): Promise<void> {
    const { database } = this.bed.sql;
    const kept = (await database.select().from(bills)).filter(
      (one) => this.isOurs(one) && one.state === 'finalized',
    );
    // What was on a bill that was withdrawn is gone with its draft.
    const ids = new Set(kept.map(({ billId }) => billId));
    const lines = (await database.select().from(billLines)).filter(({ causeId }) => ids.has(causeId));
    const invoiceOf = new Map(kept.map(({ billId, invoiceId }) => [billId, invoiceId]));
    const item = (intentId: string | null, causeId: string, amountMinor: bigint, currency: string) =>
      intentId === null
        ? []
        : [
            [
              intentId,
              invoiceOf.get(causeId),
              stripeAmount({ amountMinor, currency }),
              currency.toLowerCase(),
            ],
          ];
    const entered = [
      ...lines.flatMap((line) => item(line.intentId, line.causeId, line.chargedMinor, line.currency)),
      ...kept.flatMap((bill) =>
        item(bill.carriedIntentId, bill.billId, bill.carriedItemMinor, bill.currency),
      ),
    ];
    const atStripe = (await this.atStripe.ourItems()).map(({ metadata, invoice, amount, currency }) => [
      metadata?.[INTENT_MARK],
      invoice,
      amount,
      currency,
    ]);
    expect(atStripe.map(String).sort()).toEqual(entered.map(String).sort());
    const invoices = await this.atStripe.ourInvoices();
    const invoiced = kept.filter(({ creditsBillId }) => creditsBillId === null);
    expect(invoices.map(({ id }) => id).sort()).toEqual(invoiced.map(({ invoiceId }) => invoiceId).sort());
    const credited = kept.filter(({ creditsBillId }) => creditsBillId !== null);
    this.notes = credited.length;
    expect(
      (await this.atStripe.ourCreditNotes())
        .map(({ id, invoice, amount }) => [id, idOf(invoice), amount])
        .sort(),
    ).toEqual(
      credited
        .map(({ creditNoteId, invoiceId, totalMinor, currency }) => [
          creditNoteId,
          invoiceId,
          stripeAmount({ amountMinor: -totalMinor, currency }),
        ])
        .sort(),
    );
    expect(invoices.filter(({ status }) => status === 'draft')).toEqual([]);
  }

  private async runInTrouble(month: number): Promise<void> {
    const trouble = this.dice.pick(TROUBLES);
    this.troubles.set(trouble, (this.troubles.get(trouble) ?? 0) + 1);
    if (trouble === 'no run') return;
    if (trouble === 'a day passes') this.bed.passADay();
    const isFault = FAULTS.find((kind) => kind === trouble);
    if (isFault !== undefined) this.order(isFault);
    const options = (): RunnerOptions => ({
      timeoutMs: TIMEOUT_MS,
      ...(trouble === 'killed' && { dieAt: this.dice.upTo(LONGEST_LIFE) }),
      // Of two, one may die as well.
      ...(trouble === 'two runners' && this.dice.once(2) && { dieAt: this.dice.upTo(LONGEST_LIFE) }),
    });
    const runners = Array.from({ length: trouble === 'two runners' ? 2 : 1 }, () =>
      this.bed.runner(this.month, options()),
    );
    await Promise.all(runners.map((runner) => this.attempt(month, runner)));
    // What was not reached does not happen to the next one.
    this.bed.server.faults.clear();
  }

  private order(kind: (typeof FAULTS)[number]): void {
    const nth = 1 + this.dice.upTo(8);
    const times = 1 + this.dice.upTo(2);
    const method = this.dice.pick(['POST', 'POST', 'GET'] as const);
    this.bed.server.faults.add({
      ...{ kind, method, path: '/v1/*', nth, times: kind === 'timeout' ? 1 : times },
      ...(kind === 'timeout' && { ms: TIMEOUT_MS + 200 }),
    });
  }

  /** Whatever is foreseen to go wrong may. */
  private async attempt(month: number, runner: Runner): Promise<OverageReport | null> {
    try {
      const request = { ...this.usage.monthOf(month), orgId: null, approval: NO_APPROVAL, actor: 'test' };
      return await runOverages(this.ratedUsage(month), request, runner.deps);
    } catch (error) {
      if (!(error instanceof Killed || error instanceof HeadgateError)) throw error;
      return null;
    }
  }

  /** Each run rates what is known by then. */
  private ratedUsage(month: number) {
    const lines = this.usage.rated(month);
    const runId = `run_${String((this.runs += 1)).padStart(6, '0')}`;
    this.ratedBy.set(runId, lines);
    return {
      runId,
      watermark: { executions: [], installs: [], billing: [], crm: [] },
      lines: () => Promise.resolve(lines),
      lateUsage: () => 'credit_note' as const,
      again: (billedFrom: string) => Promise.resolve(this.ratedBy.get(billedFrom) ?? []),
    };
  }

  private async charged(): Promise<Amounts> {
    const charged = await this.atStripe.charged();
    return summed(charged.map(({ orgId, currency, amountMinor }) => [keyOf(orgId, currency), amountMinor]));
  }

  private listen(): void {
    for (const { line, orgId, currency, amountMinor } of this.usage.months.flatMap((month) =>
      this.usage.expected(month),
    )) {
      const key = keyOf(orgId, currency);
      const known = this.mostSaid.get(`${line} ${key}`);
      if (known === undefined || known.amountMinor < amountMinor) {
        this.mostSaid.set(`${line} ${key}`, { key, amountMinor });
      }
    }
  }

  /** At no time is anybody charged more than ever was said. */
  private async expectNotOvercharged(): Promise<void> {
    const said = summed(
      [...this.mostSaid.values()]
        .filter(({ amountMinor }) => amountMinor > 0n)
        .map(({ key, amountMinor }) => [key, amountMinor]),
    );
    for (const [key, amountMinor] of await this.charged()) {
      expect(amountMinor, key).toBeLessThanOrEqual(said.get(key) ?? 0n);
    }
  }
}

function summed(amounts: Iterable<readonly [string, bigint]>): Amounts {
  const sums = new Map<string, bigint>();
  for (const [key, amountMinor] of amounts) sums.set(key, (sums.get(key) ?? 0n) + amountMinor);
  return sums;
}

function nonZero(amounts: Amounts): Record<string, bigint> {
  return Object.fromEntries([...amounts].filter(([, amountMinor]) => amountMinor !== 0n).sort());
}

/** One history, whole. */
export async function proveRandomMonths(bed: OverageBed, seed: number): Promise<RandomMonths> {
  const history = await RandomMonths.open(bed, seed);
  await history.live();
  await history.settleDown();
  await history.expectSettled();
  return history;
}
