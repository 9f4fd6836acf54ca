import { HeadgateError, UnavailableError } from '../../core/errors.js';
import type { LogPosition, RawEvent } from '../../core/raw-event.js';
import type { AppendReceipt, Warehouse } from '../warehouse/warehouse.js';
import type { EventLog } from './event-log.js';

export interface DirectLogOptions {
  /** Events waiting for the writer. More would only grow memory: the caller is told to come back. */
  readonly queueLimit: number;
  /** Events in one commit, so that no commit keeps its callers long. */
  readonly commitLimit: number;
}

interface Waiting {
  readonly events: readonly RawEvent[];
  readonly recordedAtMicros: bigint;
  readonly resolve: (receipt: AppendReceipt) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The log of the embedded default: the append is the warehouse's own. A commit costs about a millisecond however
 * many rows it has, so whatever came in during the last commit goes into the next one, in the order it came.
 */
export class DirectLog implements EventLog {
  private readonly waiting: Waiting[] = [];
  private waitingEvents = 0;
  private writing: Promise<void> | null = null;
  private isClosed = false;

  constructor(
    private readonly warehouse: Pick<Warehouse, 'append'>,
    private readonly options: DirectLogOptions,
  ) {}

  append(
    events: readonly RawEvent[],
    { recordedAtMicros }: { recordedAtMicros: bigint },
  ): Promise<AppendReceipt> {
    if (this.isClosed) return Promise.reject(closedError());
    // A batch larger than the whole queue is still taken when nothing else waits, or it could never be.
    if (this.waitingEvents > 0 && this.waitingEvents + events.length > this.options.queueLimit) {
      return Promise.reject(queueFullError());
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ events, recordedAtMicros, resolve, reject });
      this.waitingEvents += events.length;
      this.writing ??= this.writeAll();
    });
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.writing;
  }

  private async writeAll(): Promise<void> {
    // Let every request that arrived in this turn of the event loop join the first commit.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) await this.writeGroup(this.takeGroup());
    this.writing = null;
  }

  private takeGroup(): Waiting[] {
    let eventCount = 0;
    const end = this.waiting.findIndex((request, index) => {
      eventCount += request.events.length;
      return index > 0 && eventCount > this.options.commitLimit;
    });
    return this.waiting.splice(0, end === -1 ? this.waiting.length : end);
  }

  private async writeGroup(group: readonly Waiting[]): Promise<void> {
    const events = group.flatMap((request) => request.events);
    try {
      const receipt = await this.warehouse.append(events, { recordedAtMicros: latest(group) });
      answer(group, receipt);
    } catch (error) {
      await this.answerFailure(group, error);
    } finally {
      this.waitingEvents -= events.length;
    }
  }

  /** A full disk is everybody's; anything else is one request's own, and must not fail its neighbours. */
  private async answerFailure(group: readonly Waiting[], error: unknown): Promise<void> {
    const isEverybodys = error instanceof HeadgateError && error.retryable;
    for (const request of group) {
      if (isEverybodys || group.length === 1) {
        request.reject(error);
        continue;
      }
      await this.warehouse
        .append(request.events, { recordedAtMicros: request.recordedAtMicros })
        .then(request.resolve, request.reject);
    }
  }
}

/** Offsets of one append are consecutive, so each request's own follow from the first. */
function answer(group: readonly Waiting[], receipt: AppendReceipt): void {
  let next = receipt.first;
  for (const { events, resolve } of group) {
    if (events.length === 0 || next === null) {
      resolve({ count: 0, first: null, last: null });
      continue;
    }
    resolve({ count: events.length, first: next, last: plus(next, events.length - 1) });
    next = plus(next, events.length);
  }
}

function plus({ partition, offset }: LogPosition, count: number): LogPosition {
  return { partition, offset: offset + BigInt(count) };
}

function latest(group: readonly Waiting[]): bigint {
  return group.reduce(
    (last, { recordedAtMicros }) => (recordedAtMicros > last ? recordedAtMicros : last),
    group[0]?.recordedAtMicros ?? 0n,
  );
}

function queueFullError(): UnavailableError {
  return new UnavailableError(
    'queue_full',
    'too many events are waiting to be written; send again in a second',
    {
      details: { retryAfterSeconds: 1 },
    },
  );
}

function closedError(): UnavailableError {
  return new UnavailableError('shutting_down', 'the log is closing; send again in a few seconds', {
    details: { retryAfterSeconds: 5 },
  });
}
