import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { eq } from 'drizzle-orm';
import type { BillingDesk } from '../../billing/billing-desk.js';
import { NO_APPROVAL } from '../../billing/overage-run/approval.js';
import { runOverages } from '../../billing/overage-run/overage-run.js';
import { HeadgateError } from '../../core/errors.js';
import { knownError } from '../../platform/known-error.js';
import { outboundIntents } from '../../platform/sql/billing-schema.js';
import { openKilledDesk, type OpenedDesk } from './killed-desk.js';
import { monthAt, usageOf } from './killed-months.js';

/**
 * A billing process for tests to kill. It says on its output what the one before it left, "billing <bills that are not final> <writes
 * under way>", and "done <index>" for each month; or "refused", where another process has the store. Each line is written before the
 * work goes on.
 */
const STDOUT = 1;
const say = (line: string): void => {
  writeSync(STDOUT, `${line}\n`);
};

/** As somebody who runs it again, or a schedule, would; only sooner. */
const AGAIN_AFTER_MS = 100;

const [store = '', stripeUrl = '', orgs = '', from = '', to = ''] = process.argv.slice(2);

async function openUnlessRefused(): Promise<OpenedDesk | null> {
  try {
    return await openKilledDesk({ store, stripeUrl });
  } catch (error) {
    if (error instanceof HeadgateError && error.code === 'data_directory_locked') return null;
    throw error;
  }
}

async function tellWhatIsLeft({ sql, store: kept }: BillingDesk): Promise<void> {
  const unfinished = await kept.unfinished(null);
  const isUnderWay = eq(outboundIntents.state, 'sending');
  const underWay = await sql.database.select().from(outboundIntents).where(isUnderWay);
  say(`billing ${unfinished.length} ${underWay.length}`);
}

async function bill(desk: BillingDesk, index: number): Promise<void> {
  const request = { ...monthAt(index), orgId: null, approval: NO_APPROVAL, actor: 'test' };
  while (!(await isBilled(desk, index, request))) await delay(AGAIN_AFTER_MS);
}

async function isBilled(
  desk: BillingDesk,
  index: number,
  request: Parameters<typeof runOverages>[1],
): Promise<boolean> {
  try {
    const { outcomes } = await runOverages(usageOf(index, Number(orgs)), request, desk);
    const stopped = outcomes.find(({ outcome }) => outcome === 'blocked' || outcome === 'refused');
    if (stopped !== undefined)
      throw new Error(`${stopped.billId} is ${stopped.outcome}: ${stopped.message ?? ''}`);
    return outcomes.every(({ outcome }) => outcome === 'finalized');
  } catch (error) {
    const known = knownError(error);
    // Another process plans, or has taken over.
    if (known instanceof HeadgateError && (known.retryable || known.code === 'conflict')) return false;
    throw error;
  }
}

const opened = await openUnlessRefused();
if (opened === null) {
  say('refused');
} else {
  await tellWhatIsLeft(opened.desk);
  for (let index = Number(from); index < Number(to); index += 1) {
    await bill(opened.desk, index);
    say(`done ${index}`);
  }
  await opened.close();
}
