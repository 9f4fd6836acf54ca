import { RefusedError } from '../../core/errors.js';
import type { LateUsage } from '../../core/catalog/usage.js';
import type { WatermarkVector } from '../../core/raw-event.js';
import type { Period } from '../../core/time.js';
import { Lease } from '../../platform/sql/lease.js';
import { transaction } from '../../platform/sql/sql.js';
import type { SpentCredits } from '../adjustments/credits.js';
import type { OverageLine } from '../overage-plan.js';
import type { ApprovalRules } from './approval.js';
import type { BillContext } from './bill-intents.js';
import { planBills, type BillPlan } from './bill-plan.js';
import { executeBills, patientLease, type BillOutcome, type ExecuteDeps } from './execute-bills.js';
import { lineChanges } from './line-changes.js';
import { loadHomes, type HomeDeps } from './load-homes.js';
import { rateAgainOnce } from './rate-again.js';
import { readBooks, vanishedLines } from './read-ledger.js';
import { reopenDrafts, takeBackCreditNotes } from './take-back.js';
import type { WithdrawDeps } from './withdraw-bill.js';
import { sha256 } from '../../platform/sha256.js';

/** Rated usage, and the published run that it was read from: that never changes, and is kept while a bill names it. */
export interface RatedUsage {
  readonly runId: string;
  readonly watermark: WatermarkVector;
  /**
   * Of the periods that are billed, every line, also what is within its allowance.
   *
   * @param spent of credits, in other periods
   */
  readonly lines: (spent: SpentCredits) => Promise<readonly OverageLine[]>;
  /** What a run rates for a month, from its events once more: before anything is made final, what was entered must come out. */
  readonly again: (runId: string, month: string) => Promise<readonly OverageLine[]>;
  /** What a meter's usage that becomes known after it was billed leads to, by the catalog in force. */
  readonly lateUsage: (meterId: string) => LateUsage;
}

export interface OverageRunRequest {
  /** First day of the month, and the month itself in the catalog's zone: the periods that ended in it are billed. */
  readonly month: string;
  readonly ending: Period;
  /** Only this org's bills are carried out; null: all. Lines of others are left out by whoever rates. */
  readonly orgId: string | null;
  readonly approval: ApprovalRules;
  readonly actor: string;
}

/** What a run of the overages did: the plan that it entered, and what became of it and of what earlier runs had left. */
export interface OverageReport {
  readonly plan: BillPlan;
  readonly outcomes: readonly BillOutcome[];
}

/**
 * What is to be billed now, given everything that was billed before. Reads only: the preview of a run is its plan.
 *
 * @throws RefusedError `conflict` when something of it was billed from a newer run already: this one would take that back
 */
export async function planOverages(
  { runId, lateUsage, lines: rate }: RatedUsage,
  { month, ending, orgId, approval }: Omit<OverageRunRequest, 'actor'>,
  deps: HomeDeps,
): Promise<BillPlan> {
  const { store } = deps;
  const rated = await rate(await store.spentCredits(ending, orgId));
  const ratedIds = new Set(rated.map(({ lineId }) => lineId));
  const vanished = await vanishedLines(deps.sql, store.account, { ending, orgId }, ratedIds);
  const lines = [...rated, ...vanished];
  const lineIds = lines.map(({ lineId }) => lineId);
  const { newestRunId, ...books } = await readBooks(deps.sql, store.account, month, lineIds);
  if (newestRunId > runId) {
    throw new RefusedError(
      'conflict',
      `billing: ${newestRunId} was billed from, which is newer than ${runId}; run again, from the current run`,
    );
  }
  const all = { ...books, lines, lateUsage, account: store.account, month, ending, approval, sha256 };
  return planBills(all, await loadHomes(lineChanges(all).changes, lateUsage, deps));
}

/**
 * Load, plan, enter, execute. It may be killed anywhere and run again, twice at once: what was entered is carried out once, and what
 * was not is planned anew.
 *
 * @throws RefusedError `conflict` while another process plans; `stripe_key_refused`
 */
export async function runOverages(
  usage: RatedUsage,
  request: OverageRunRequest,
  deps: WithdrawDeps,
): Promise<OverageReport> {
  await takeBackCreditNotes(request, deps);
  const rateAgain = rateAgainOnce(usage.again);
  const replan = () => planOverages(usage, request, deps);
  const left = await reopenDrafts(request, usage.lateUsage, replan, deps);
  if (left.length > 0) await executeBills(left, deps, rateAgain);
  const plan = await enterPlan(usage, request, deps);
  const unfinished = await deps.store.unfinished(request.orgId);
  const outcomes = await executeBills(unfinished, deps, rateAgain);
  return { plan, outcomes };
}

/** Plans and writes the plan down, one process at a time: the ledger that was read is the one that is added to. */
async function enterPlan(
  usage: RatedUsage,
  request: OverageRunRequest,
  deps: ExecuteDeps,
): Promise<BillPlan> {
  const { sql, audit, store, clock, onProgress } = deps;
  const { account, mode } = store.account;
  const name = `overage run ${account} ${mode}`;
  const lease = await patientLease(name, deps);
  if (lease === null) {
    const who = (await Lease.holderOf(sql, name))?.holder ?? 'another process';
    throw new RefusedError(
      'conflict',
      `billing: ${who} is planning an overage run; wait for it, then run again`,
    );
  }
  try {
    onProgress(`rating the periods that ended in ${request.month.slice(0, 7)}`);
    const plan = await planOverages(usage, request, deps);
    const context: BillContext = {
      account: store.account,
      month: request.month,
      ending: request.ending,
      sha256,
    };
    const { bills, carried, movements } = plan;
    if (bills.length + carried.length === 0) return plan;
    const now = clock();
    await transaction(sql, async (database) => {
      await lease.assertHeld(database);
      await store.enter(database, plan, context, { ...usage, actor: request.actor }, now);
      await audit.appendIn(
        database,
        {
          actor: request.actor,
          action: 'bill.enter',
          target: request.month.slice(0, 7),
          details: {
            ...{ account, mode, runId: usage.runId },
            bills: bills.map(({ billId, currency, totalMinor }) => [billId, currency, totalMinor.toString()]),
            waiting: movements.map(({ causeId, currency, amountMinor }) => [
              causeId,
              currency,
              amountMinor.toString(),
            ]),
          },
        },
        now,
      );
    });
    return plan;
  } finally {
    await lease.release();
  }
}
