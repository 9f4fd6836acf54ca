import { MICROS_PER_SECOND } from '../core/time.js';
import { COMPACT_FROM_PARTS } from './embedded-transformer.js';
import type { Runtime } from './runtime.js';

/** Looked at this often, done once a day: a laptop that sleeps at night still gets its turn. */
const LOOK_EVERY_MS = 15 * 60 * 1000;
const DAY = 86_400n * MICROS_PER_SECOND;

/** What a long-lived process does besides answering: merges small lake parts, and forgets what retention no longer keeps. */
export function startDailyWork({ services, lake }: Runtime): { stop(): Promise<void> } {
  const { clock, config, ingest, logger } = services;
  let lastDone = 0n;
  let underWay: Promise<void> = Promise.resolve();

  const work = async (): Promise<void> => {
    const merged = await lake.compact({ minimumParts: COMPACT_FROM_PARTS });
    const forgotten = await ingest.quarantine.forget(clock() - BigInt(config.quarantineDays) * DAY);
    logger.info({ merged, forgotten }, 'daily work');
  };
  const timer = setInterval(() => {
    if (clock() - lastDone < DAY) return;
    lastDone = clock();
    underWay = work().catch((error: unknown) => {
      // Tomorrow it is tried again; what it does is never urgent.
      logger.error({ error }, 'daily work failed');
    });
  }, LOOK_EVERY_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return underWay;
    },
  };
}
