import { expect } from 'vitest';
import type { RawEvent } from '../../core/raw-event.js';
import type { KafkaConfig } from '../../platform/config.js';
import { logEvent } from '../../platform/log/event-log.contract.js';
import type { Consumption } from '../../platform/log/event-log.js';
import type { KafkaLog } from '../../platform/log/kafka-log.js';
import { untilKnown } from '../../platform/log/kafka-topics.js';
import type { KafkaBroker } from './kafka.js';
import { kafkaConfigFor, openTestLog } from './kafka-config.js';
import { withAdmin } from './kafka-topics.js';
import { RecordingWarehouse } from './recording-warehouse.js';

export const WITHIN = { timeout: 30_000 };

/** Topics of a test's own with two partitions each, and whoever reads them into a warehouse that remembers. */
export class Consuming {
  readonly warehouse = new RecordingWarehouse();
  private readonly open: Consumption[] = [];

  private constructor(
    private readonly broker: KafkaBroker,
    readonly config: KafkaConfig,
    readonly log: KafkaLog,
  ) {}

  static async on(broker: KafkaBroker, changes: Readonly<Record<string, string>> = {}): Promise<Consuming> {
    const config = kafkaConfigFor(broker, changes);
    return new Consuming(broker, config, await openTestLog(config, { queueEvents: 100_000 }));
  }

  /** Where `append` writes. */
  get topic(): string {
    return `${this.config.topicPrefix}.executions`;
  }

  get group(): string {
    return `${this.config.topicPrefix}-group`;
  }

  async consume(into = this.warehouse, sessionTimeoutMs = 10_000): Promise<Consumption> {
    const consumption = await this.log.consume(into.take, {
      group: this.group,
      progress: () => Promise.resolve([...into.progress.values()]),
      sessionTimeoutMs,
    });
    this.open.push(consumption);
    return consumption;
  }

  event(index: number): RawEvent {
    return { ...logEvent(`evt_${index}`), subject: `org_${index % 20}` };
  }

  /** @returns their ids, sorted */
  async append(from: number, to: number): Promise<string[]> {
    const events = Array.from({ length: to - from }, (_, index) => this.event(from + index));
    await this.log.append(events, { recordedAtMicros: 1n });
    return events.map(({ id }) => id).sort();
  }

  /** Waits until the warehouse has these and nothing else. */
  async counted(ids: readonly string[], into = this.warehouse): Promise<void> {
    await expect.poll(() => into.ids.size, WITHIN).toBeGreaterThanOrEqual(ids.length);
    expect(into.counted()).toEqual(ids);
  }

  /** Deletes the topic and makes it again. */
  async remake(): Promise<void> {
    const { topic } = this;
    await withAdmin(this.broker.brokers, async (admin) => {
      await admin.deleteTopics({ topics: [topic] });
      await expect.poll(() => admin.listTopics(), WITHIN).not.toContain(topic);
      await admin.createTopics({ topics: [{ topic, numPartitions: 2 }], waitForLeaders: false });
      await untilKnown(admin, [topic], 30_000);
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.open.map((consumption) => consumption.stop()));
    await this.log.close();
  }
}

/** The ids that `append` returns for these. */
export function idsOf(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `evt_${from + index}`).sort();
}
