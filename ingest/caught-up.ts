import { setTimeout as delay } from 'node:timers/promises';
import type { Consumption } from '../platform/log/event-log.js';
import type { KafkaLog } from '../platform/log/kafka-log.js';
import type { PartitionEnds } from '../platform/log/kafka-resume.js';
import type { Warehouse } from '../platform/warehouse/warehouse.js';

const LOOK_EVERY_MS = 50;

/**
 * Returns when everything that is on the topics now is in the warehouse, whoever brings it there: for commands that read what they have
 * just sent.
 *
 * @param signal ends the waiting with an AbortError
 * @param consumption this process' own, if it has one: when it can't go on, waiting would have no end
 */
export async function waitUntilCaughtUp(
  log: Pick<KafkaLog, 'ends' | 'lagBehind'>,
  warehouse: Pick<Warehouse, 'topicProgress'>,
  consumption: Consumption | null,
  signal?: AbortSignal,
): Promise<void> {
  const ends = await log.ends();
  for (;;) {
    const status = consumption?.status();
    if (status?.state === 'refused' && status.lastError !== null) throw status.lastError;
    // A mark of somebody's transaction at the end of a partition is passed over, and the warehouse never hears of it.
    const isPassed = ({ stream, partition, high }: PartitionEnds): boolean =>
      (status?.partitions ?? []).some(
        (one) =>
          one.stream === stream && one.partition === partition && one.next !== null && one.next >= high,
      );
    const lags = log.lagBehind(ends, await warehouse.topicProgress());
    if (ends.every((end, index) => lags[index]?.lag === 0n || isPassed(end))) return;
    await delay(LOOK_EVERY_MS, undefined, signal === undefined ? {} : { signal });
  }
}
