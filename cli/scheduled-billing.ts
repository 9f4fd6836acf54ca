import { billMonth } from '../api/billing/bill-month.js';
import { billingMonth } from '../billing/billing-month.js';
import { rulingCatalog } from '../api/catalog/ruling-catalog.js';
import type { Services } from '../api/services.js';
import { billsToCheck, firstBilledMonth } from '../billing/overage-run/read-bills.js';
import { reconcileBill } from '../billing/overage-run/reconcile-bill.js';
import {
  addMonths,
  dateInUtc,
  formatDate,
  MICROS_PER_SECOND,
  parseDate,
  startOfMonth,
} from '../core/time.js';

const ACTOR = 'schedule';
const HOUR = 3_600n * MICROS_PER_SECOND;
/** Late usage of months before these is billed when somebody asks for it. */
const MONTHS_LOOKED_BACK = 3;

/**
 * Bills what is over, unattended: from a fresh run, the month whose grace has passed, and before it what came late, or was missed, since
 * the first that was billed from here. Months before that are nobody's to bill by themselves: another system may have done it.
 */
export async function billBySchedule(services: Services): Promise<void> {
  const { config, clock, logger, shutdown, sql } = services;
  await services.transform({ signal: shutdown.signal });
  const desk = await services.billing();
  const closedAt = clock() - BigInt(config.billing.graceHours) * HOUR;
  const { catalog } = await rulingCatalog(services.catalogs, closedAt);
  const { first } = billingMonth(undefined, closedAt, catalog.zone);
  for (const month of monthsToBill(first, await firstBilledMonth(sql, desk.store.account))) {
    if (shutdown.signal.aborted) return;
    const { report, run } = await billMonth(services, {
      ...{ month, orgId: undefined, isDryRun: false, actor: ACTOR },
    });
    const { bills, heldBack } = report.plan;
    const open = report.outcomes.filter(({ outcome }) => outcome !== 'finalized');
    const told = {
      ...{
        month: month.slice(0, 7),
        runId: run.runId,
        bills: bills.length,
        final: report.outcomes.length - open.length,
      },
      awaitingApproval: bills.filter(({ approvalReason }) => approvalReason !== null).length,
    };
    logger.info(told, 'billed by schedule');
    for (const { orgId, cause, message } of heldBack) logger.warn({ orgId, cause }, message);
    for (const { billId, orgId, outcome, message } of open) {
      logger.warn({ billId, orgId, outcome }, message ?? 'a bill did not come to its end');
    }
  }
}

/** From the first that was billed from here on, without a gap: a month in which nobody could bill is billed once somebody can. */
export function monthsToBill(first: string, firstBilled: string | null): string[] {
  const months = Array.from({ length: MONTHS_LOOKED_BACK }, (_, index) =>
    formatDate(addMonths(parseDate(first), index - MONTHS_LOOKED_BACK)),
  );
  return [...months.filter((month) => firstBilled !== null && month >= firstBilled), first];
}

/** Holds what was billed against Stripe: somebody may have changed it there since. What does not match stays open until it does. */
export async function reconcileBySchedule(services: Services): Promise<void> {
  const { clock, logger, shutdown, sql } = services;
  const desk = await services.billing();
  const since = formatDate(addMonths(startOfMonth(dateInUtc(clock())), -MONTHS_LOOKED_BACK));
  const bills = await billsToCheck(sql, desk.store.account, since);
  let breaks = 0;
  for (const bill of bills) {
    if (shutdown.signal.aborted) return;
    for (const { cause, message } of await reconcileBill(bill, ACTOR, desk)) {
      breaks += 1;
      logger.warn({ billId: bill.billId, orgId: bill.orgId, cause }, message);
    }
  }
  logger.info({ invoices: bills.length, breaks }, 'reconciled by schedule');
}
