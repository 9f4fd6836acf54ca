import type { WatermarkVector } from '../../core/raw-event.js';
import type { Instant } from '../../core/time.js';
import type { Sql } from '../../platform/sql/sql.js';
import { readUsage } from '../metered-usage.js';
import { openQuestions, usageOf, windowsOf } from '../org-usage.js';
import { loadBooks } from '../preview-overage.js';
import { readLiveUsage, type LiveSources } from './live-usage.js';
import { movedOrgs } from './moved-orgs.js';
import { enterAlerts, passedThresholds } from './usage-alerts.js';

export interface WatchDeps {
  readonly sql: Sql;
  readonly sources: LiveSources;
  readonly clock: () => Instant;
  /** Whether messages have somewhere to go. */
  readonly isSent: boolean;
  /** Of the run that serves; null before the first. */
  readonly currentRunId: () => Promise<string | null>;
}

const ORGS_AT_ONCE = 200;
/** Looking may take at most this part of the time. */
const REST_PER_WORK = 4n;

/**
 * Looks for thresholds that were passed: in every org when there is another run, and between runs in those that something came in
 * for. What it remembers only saves work: who begins anew looks at everything once, and enters nothing twice.
 */
export class AlertWatch {
  private lookedAtRun: string | null = null;
  private lookedUpTo: WatermarkVector | null = null;
  private restUntil: Instant = 0n;

  constructor(private readonly deps: WatchDeps) {}

  /** @returns how many messages were entered */
  async look(): Promise<number> {
    const { clock, currentRunId } = this.deps;
    const began = clock();
    const runId = await currentRunId();
    if (runId === null || began < this.restUntil) return 0;
    let entered = 0;
    if (runId !== this.lookedAtRun) entered += await this.lookAtRun();
    this.lookedAtRun = runId;
    entered += await this.lookAtMoved();
    const ended = clock();
    this.restUntil = ended + (ended - began) * REST_PER_WORK;
    return entered;
  }

  private async lookAtRun(): Promise<number> {
    const { sql, sources, clock, isSent } = this.deps;
    const catalogs = await sources.catalogs();
    if (catalogs.length === 0) return 0;
    const found = await sources.withRun(async ({ run, reader }) => {
      this.lookedUpTo = run.watermark;
      const questions = openQuestions(await loadBooks(reader, catalogs, undefined), run.asOf);
      const usage = await readUsage(windowsOf(questions), reader, run.asOf);
      return { runId: run.runId, passed: passedThresholds(usageOf(questions, usage, run.asOf)) };
    });
    return enterAlerts(sql, found.passed, { runId: found.runId, now: clock(), isSent });
  }

  private async lookAtMoved(): Promise<number> {
    const { sources } = this.deps;
    const until = await sources.warehouse.positions();
    if (this.lookedUpTo === null) return 0;
    const moved = await movedOrgs(sources, this.lookedUpTo, until);
    const orgIds = [...new Set([...moved.usage, ...moved.billing])];
    let entered = 0;
    for (let start = 0; start < orgIds.length; start += ORGS_AT_ONCE) {
      entered += await this.lookAtLive(orgIds.slice(start, start + ORGS_AT_ONCE));
    }
    this.lookedUpTo = until;
    return entered;
  }

  private async lookAtLive(orgIds: readonly string[]): Promise<number> {
    const { sql, sources, clock, isSent } = this.deps;
    const now = clock();
    const live = await readLiveUsage(sources, orgIds, now);
    const passed = passedThresholds(usageOf(live.questions, live.usage.now, now + 1n));
    return enterAlerts(sql, passed, { runId: live.runId, now, isSent });
  }
}
