import type { Batch } from 'kafkajs';
import type { LogMessage } from './event-log.js';

export interface SliceLimits {
  readonly rows: number;
  readonly bytes: number;
}

export interface MessageSlice {
  readonly messages: readonly LogMessage[];
  readonly lastOffset: bigint;
}

/** A fetched batch in pieces that a warehouse takes at once. The last one takes care of all that the batch covers. */
export function* slicesOf(batch: Batch, limits: SliceLimits): Generator<MessageSlice> {
  let messages: LogMessage[] = [];
  let bytes = 0;
  let lastOffset = 0n;
  for (const { offset, value } of batch.messages) {
    const size = value?.length ?? 0;
    if (messages.length >= limits.rows || (messages.length > 0 && bytes + size > limits.bytes)) {
      yield { messages, lastOffset };
      messages = [];
      bytes = 0;
    }
    lastOffset = BigInt(offset);
    messages.push({ offset: lastOffset, value });
    bytes += size;
  }
  // Marks of transactions stand behind the last message and are no messages.
  yield { messages, lastOffset: BigInt(batch.lastOffset()) };
}
