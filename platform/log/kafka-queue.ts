import { UnavailableError, type HeadgateError } from '../../core/errors.js';
import type { LogPosition } from '../../core/raw-event.js';
import type { AppendReceipt } from '../warehouse/warehouse.js';
import type { OutgoingMessage } from './kafka-producer.js';

/** Some of an append's messages, for one send. */
export interface Slice {
  readonly append: QueuedAppend;
  readonly from: number;
  readonly to: number;
}

export interface QueueLimits {
  /** Waiting and being sent; more would only grow memory. */
  readonly events: number;
  readonly bytes: number;
}

export interface GroupLimits {
  readonly events: number;
  /** Whatever partition a group's messages go to, they fit into one batch there. */
  readonly bytes: number;
}

/** What a message takes beside its key and value. */
const RECORD_BYTES = 32;

export function sizeOf({ key, value }: OutgoingMessage): number {
  return Buffer.byteLength(key) + value.length + RECORD_BYTES;
}

/** One caller's messages on their way: several sends may be needed, and it is answered when all are acknowledged. */
export class QueuedAppend {
  taken = 0;
  isSettled = false;
  readonly sizeBytes: number;
  readonly answer: Promise<AppendReceipt>;
  private acknowledged = 0;
  private first: LogPosition | null = null;
  private last: LogPosition | null = null;
  private settle: {
    resolve: (receipt: AppendReceipt) => void;
    reject: (error: HeadgateError) => void;
  } | null = null;

  constructor(readonly messages: readonly OutgoingMessage[]) {
    this.sizeBytes = messages.reduce((sum, message) => sum + sizeOf(message), 0);
    this.answer = new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
  }

  acknowledge(positions: readonly LogPosition[]): void {
    this.first ??= positions[0] ?? null;
    this.last = positions.at(-1) ?? this.last;
    this.acknowledged += positions.length;
    if (this.acknowledged < this.messages.length) return;
    this.isSettled = true;
    this.settle?.resolve({ count: this.messages.length, first: this.first, last: this.last });
  }

  fail(error: HeadgateError): void {
    this.isSettled = true;
    this.settle?.reject(error);
  }
}

/** Appends in the order they came. What is settled (answered, failed, too late) is passed over. */
export class AppendQueue {
  private waiting: QueuedAppend[] = [];
  private events = 0;
  private bytes = 0;

  constructor(private readonly limits: QueueLimits) {}

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  get queuedEvents(): number {
    return this.events;
  }

  /** @throws UnavailableError `queue_full`. A batch larger than the whole queue is taken when nothing else waits, or it could never be */
  add(append: QueuedAppend): void {
    const isFull =
      this.events + append.messages.length > this.limits.events ||
      this.bytes + append.sizeBytes > this.limits.bytes;
    if (this.events > 0 && isFull) {
      throw new UnavailableError(
        'queue_full',
        'too many events are waiting to be written; send again in a second',
        {
          details: { retryAfterSeconds: 1 },
        },
      );
    }
    this.waiting.push(append);
    this.events += append.messages.length;
    this.bytes += append.sizeBytes;
    const release = (): void => {
      this.events -= append.messages.length;
      this.bytes -= append.sizeBytes;
    };
    append.answer.then(release, release);
  }

  /** As much as one send may take, from the front; empty when nothing is left. */
  takeGroup(limits: GroupLimits): Slice[] {
    const group: Slice[] = [];
    let events = 0;
    let bytes = 0;
    for (const append of this.waiting) {
      const from = append.taken;
      while (!append.isSettled && append.taken < append.messages.length && events < limits.events) {
        const message = append.messages[append.taken];
        const size = message === undefined ? 0 : sizeOf(message);
        if (events > 0 && bytes + size > limits.bytes) break;
        append.taken += 1;
        events += 1;
        bytes += size;
      }
      if (append.taken > from) group.push({ append, from, to: append.taken });
      if (!append.isSettled && append.taken < append.messages.length) break;
    }
    this.waiting = this.waiting.filter(
      (append) => !append.isSettled && append.taken < append.messages.length,
    );
    return group;
  }
}
