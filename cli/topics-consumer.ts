import type { Instant } from '../core/time.js';
import { waitUntilCaughtUp } from '../ingest/caught-up.js';
import { startConsumer } from '../ingest/kafka-consumer.js';
import type { QuarantineStore } from '../ingest/quarantine-store.js';
import type { Consumption, ConsumptionStatus } from '../platform/log/event-log.js';
import type { KafkaLog } from '../platform/log/kafka-log.js';
import type { PartitionLag } from '../platform/log/kafka-resume.js';
import type { Warehouse } from '../platform/warehouse/warehouse.js';

interface Parts {
  readonly warehouse: Warehouse;
  readonly quarantine: QuarantineStore;
  readonly clock: () => Instant;
  /** Its members share the partitions: one group for each warehouse. */
  readonly group: string;
}

/** What is under way goes into a run that is asked for, if it comes within this. */
const CATCH_UP_MS = 60_000;

/** From the topics into the warehouse, in this process where it is its duty, or where a run must not wait for others. */
export class TopicsConsumer {
  private starting: Promise<Consumption> | null = null;
  private consumption: Consumption | null = null;

  constructor(
    private readonly kafka: KafkaLog,
    private readonly parts: Parts,
  ) {}

  /** @throws OtherTopicsError when the topics are not those that the warehouse was filled from */
  async start(): Promise<void> {
    this.starting ??= startConsumer(this.kafka, this.parts, { group: this.parts.group });
    this.consumption = await this.starting;
  }

  /** Null where this process does not consume. */
  status(): ConsumptionStatus | null {
    return this.consumption?.status() ?? null;
  }

  /** How far the warehouse is behind each partition, whoever fills it. */
  async lags(): Promise<PartitionLag[]> {
    return this.kafka.lagBehind(await this.kafka.ends(), await this.parts.warehouse.topicProgress());
  }

  /**
   * Returns when what is on the topics now is in the warehouse, or after a minute: a run measures up to its watermark, and what comes
   * later is in the next one.
   *
   * @returns whether everything is there
   */
  async catchUp(onProgress: (message: string) => void): Promise<boolean> {
    const lags = await this.lags();
    if (lags.every(({ lag }) => lag === 0n)) return true;
    const behind = lags.reduce((sum, { lag }) => sum + lag, 0n);
    onProgress(`Waiting for ${behind.toLocaleString('en-US')} messages that are on their way …`);
    await this.start();
    const limit = AbortSignal.timeout(CATCH_UP_MS);
    try {
      await waitUntilCaughtUp(this.kafka, this.parts.warehouse, this.consumption, limit);
      return true;
    } catch (error) {
      if (!limit.aborted) throw error;
      onProgress(`Going on without what did not come within ${CATCH_UP_MS / 1000} s; it is in the next run.`);
      return false;
    }
  }

  async stop(): Promise<void> {
    const consumption = await this.starting?.catch(() => null);
    await consumption?.stop();
  }
}
