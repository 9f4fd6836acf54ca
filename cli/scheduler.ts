import { Cron } from 'croner';
import type { Instant } from '../core/time.js';
import { MICROS_PER_DAY } from '../core/time.js';
import type { Services } from '../api/services.js';
import type { Lake } from '../platform/lake.js';
import { billBySchedule, reconcileBySchedule } from './scheduled-billing.js';
import { COMPACT_FROM_PARTS } from './embedded-transformer.js';

/** Looked at this often, done once a day: a laptop that sleeps at night still gets its turn. */
const LOOK_EVERY = '*/15 * * * *';
const NIGHTLY = '30 3 * * *';
/** What could not be worked off when it came, and what another process left. */
const WORK_OFF_EVERY = '* * * * *';
/** Usage alerts: what a run or an event changed is told within so long. */
const ALERT_EVERY = '*/10 * * * * *';

/** Whether this process is the one that does scheduled work. Embedded it always is. */
export interface Leadership {
  /** Does `work` while this process leads, and nothing where another one does. */
  whileLeading(work: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

export const SOLE_LEADER: Leadership = {
  whileLeading: (work) => work(),
  stop: () => Promise.resolve(),
};

interface Schedule {
  readonly services: Services;
  readonly lake: Lake | null;
  readonly leadership: Leadership;
}

/** What a long-lived process does besides answering: runs by the schedule, and once a day tidies up. */
export function startScheduler({ services, lake, leadership }: Schedule): { stop(): Promise<void> } {
  const { config, logger } = services;
  const underWay = new Set<Promise<void>>();
  let lastTidied: Instant = 0n;

  const start = (pattern: string, name: string, work: () => Promise<void>): Cron =>
    // `protect`: a job that is still under way is not started again.
    new Cron(pattern, { timezone: 'UTC', protect: true }, () => {
      const done = leadership.whileLeading(work).catch((error: unknown) => {
        // The next turn tries again; what failed is in the log and, for a run, in `headgate runs`.
        logger.error({ error, job: name }, 'scheduled work failed');
      });
      underWay.add(done);
      return done.finally(() => underWay.delete(done));
    });

  const tidyUp = async (): Promise<void> => {
    if (services.clock() - lastTidied < MICROS_PER_DAY) return;
    lastTidied = services.clock();
    const merged = (await lake?.compact({ minimumParts: COMPACT_FROM_PARTS })) ?? 0;
    const forgotten = await services.ingest.quarantine.forget(
      services.clock() - BigInt(config.quarantineDays) * MICROS_PER_DAY,
    );
    logger.info({ merged, forgotten }, 'daily work');
  };
  const workOffInbox = async (): Promise<void> => {
    await (await services.stripeInbox()).drain();
  };
  const lookForMissed = async (): Promise<void> => {
    const inbox = await services.stripeInbox();
    const { catchUp } = await import('../ingest/stripe/catch-up.js');
    const missed = await catchUp(inbox, services.clock);
    await inbox.drain();
    const forgotten = await inbox.store.forget(
      services.clock() - BigInt(config.quarantineDays) * MICROS_PER_DAY,
    );
    if (missed + forgotten > 0) logger.info({ missed, forgotten }, 'webhooks');
  };
  const transform = async (): Promise<void> => {
    const { runId } = await services.transform({ signal: services.shutdown.signal });
    logger.info({ runId }, 'scheduled run');
  };

  const tellAlerts = async (): Promise<void> => {
    const { entered, delivered } = await services.quota.tellAlerts();
    if (entered + delivered > 0) logger.info({ entered, delivered }, 'usage alerts');
  };

  const jobs = [
    start(LOOK_EVERY, 'daily work', tidyUp),
    ...(config.stripe === null
      ? []
      : [
          start(WORK_OFF_EVERY, 'webhooks', workOffInbox),
          start(LOOK_EVERY, 'webhooks that never came', lookForMissed),
          start(NIGHTLY, 'reconciliation', () => reconcileBySchedule(services)),
        ]),
    start(ALERT_EVERY, 'usage alerts', tellAlerts),
    ...(config.transformSchedule === null ? [] : [start(config.transformSchedule, 'transform', transform)]),
    ...(config.billing.schedule === null
      ? []
      : [start(config.billing.schedule, 'billing', () => billBySchedule(services))]),
  ];
  return {
    stop: async () => {
      for (const job of jobs) job.stop();
      await Promise.all(underWay);
      await leadership.stop();
    },
  };
}
