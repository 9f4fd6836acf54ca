import { setTimeout as delay } from 'node:timers/promises';
import { UnavailableError } from '../../core/errors.js';
import type { LogMessages } from '../../platform/log/event-log.js';
import { decodeMessage } from '../../platform/log/kafka-message.js';
import type { TopicProgress } from '../../platform/warehouse/warehouse.js';

/** What a handler was given, kept by position as ClickHouse keeps it; it can be away, or take its time. */
export class RecordingWarehouse {
  /** Every delivery, as `stream partition offset`, doubles included. */
  readonly deliveries: string[] = [];
  readonly ids = new Map<string, string>();
  readonly progress = new Map<string, TopicProgress>();
  /** Deliveries that began behind messages which had not come: what was between is lost. */
  readonly gaps: string[] = [];
  isAway = false;
  /** How long it takes for a batch. */
  takesMs = 0;
  /** Batches that were begun. */
  calls = 0;
  gate: Promise<void> = Promise.resolve();

  readonly take = async (batch: LogMessages): Promise<void> => {
    this.calls += 1;
    if (this.isAway) throw new UnavailableError('warehouse_unavailable', 'the warehouse is away');
    await this.gate;
    if (this.takesMs > 0) await delay(this.takesMs);
    const { stream, topicPartition, messages, lastOffset } = batch;
    const known = this.progress.get(`${stream} ${topicPartition}`)?.lastOffset ?? -1n;
    const [first] = messages;
    if (first !== undefined && first.offset > known + 1n) {
      this.gaps.push(`${stream} ${topicPartition} ${known} ${first.offset}`);
    }
    for (const { offset, value } of messages) {
      const place = `${stream} ${topicPartition} ${offset}`;
      const message = decodeMessage(value, stream);
      this.deliveries.push(place);
      this.ids.set(place, message.ok ? message.event.id : 'not ours');
    }
    if (lastOffset > known)
      this.progress.set(`${stream} ${topicPartition}`, { stream, topicPartition, lastOffset });
  };

  /** From now on batches wait, until what this returns is called. */
  hold(): () => void {
    let release: () => void = () => undefined;
    this.gate = new Promise((resolve) => {
      release = resolve;
    });
    return release;
  }

  counted(): string[] {
    return [...this.ids.values()].sort();
  }
}
