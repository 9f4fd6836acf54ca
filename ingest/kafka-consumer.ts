import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Instant } from '../core/time.js';
import type { Consumption, LogHandler, LogMessages } from '../platform/log/event-log.js';
import type { KafkaLog } from '../platform/log/kafka-log.js';
import type { LoggedEvent, Warehouse } from '../platform/warehouse/warehouse.js';
import type { QuarantineStore, Refusal } from './quarantine-store.js';
import { readMessage } from './read-message.js';

export interface ConsumerServices {
  readonly warehouse: Pick<Warehouse, 'appendFromLog' | 'topicProgress'>;
  readonly quarantine: Pick<QuarantineStore, 'put'>;
  readonly clock: () => Instant;
}

export interface ConsumerOptions {
  /** Consumer group: one for each warehouse, shared by all processes that fill it. */
  readonly group: string;
  readonly sessionTimeoutMs?: number;
}

/** How a refused message's source begins in quarantine. */
export const TOPIC_SOURCE = 'topic ';
/** A process may have others to answer meanwhile. */
const MESSAGES_PER_TURN = 500;

/**
 * Fills the warehouse from the topics until stopped. What is away is waited for.
 *
 * @throws OtherTopicsError when the topics are not those that the warehouse was filled from
 */
export function startConsumer(
  log: Pick<KafkaLog, 'consume'>,
  services: ConsumerServices,
  options: ConsumerOptions,
): Promise<Consumption> {
  return log.consume(messageHandler(services), {
    ...options,
    progress: () => services.warehouse.topicProgress(),
  });
}

/** Refused messages are durable in quarantine before the rows are in the warehouse, and its progress passes them. */
export function messageHandler({ warehouse, quarantine, clock }: ConsumerServices): LogHandler {
  return async (messages) => {
    const { events, refusals } = await readMessages(messages);
    if (refusals.length > 0) await quarantine.put(refusals, clock());
    const { stream, topicPartition, lastOffset } = messages;
    await warehouse.appendFromLog({ stream, topicPartition, events, lastOffset });
  };
}

async function readMessages({ stream, topic, partition, messages }: LogMessages): Promise<{
  readonly events: readonly LoggedEvent[];
  readonly refusals: readonly Refusal[];
}> {
  const events: LoggedEvent[] = [];
  const refusals: Refusal[] = [];
  for (const [index, { offset, value }] of messages.entries()) {
    if (index % MESSAGES_PER_TURN === MESSAGES_PER_TURN - 1) await nextTurn();
    const read = readMessage(value, stream);
    if (read.ok) {
      events.push({ offset, event: read.event, recordedAtMicros: read.recordedAtMicros });
    } else {
      refusals.push({
        raw: value ?? new Uint8Array(),
        sourceName: `${TOPIC_SOURCE}${topic}`,
        sourcePosition: `partition ${partition}, offset ${offset}`,
        problems: read.problems,
      });
    }
  }
  return { events, refusals };
}
