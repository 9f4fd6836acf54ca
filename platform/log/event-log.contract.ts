import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RawEvent } from '../../core/raw-event.js';
import type { EventLog } from './event-log.js';

/** A log over a store that outlives it. */
export interface EventLogUnderTest {
  open(): Promise<EventLog>;
  /** What is durable now, read by other means than the log, in log order. */
  durableIds(): Promise<string[]>;
  dispose(): Promise<void>;
}

export function logEvent(id: string): RawEvent {
  return {
    stream: 'executions',
    source: 'shop',
    id,
    type: 'execution.completed',
    subject: 'org_1',
    timeMicros: 1_767_225_600_000_000n,
    data: '{}',
    extra: null,
  };
}

/** What holds for every event log, whichever system is behind it. */
export function eventLogContract(name: string, make: () => Promise<EventLogUnderTest>): void {
  describe(`${name} as an event log`, () => {
    let subject: EventLogUnderTest;
    let log: EventLog;
    beforeEach(async () => {
      subject = await make();
      log = await subject.open();
    });
    afterEach(async () => {
      await log.close();
      await subject.dispose();
    });
    const append = (...ids: string[]) => log.append(ids.map(logEvent), { recordedAtMicros: 1n });

    test('what was answered is durable', async () => {
      await append('a', 'b');
      expect(await subject.durableIds()).toEqual(['a', 'b']);
    });

    test('many at once: each is there exactly once, and a request keeps its order and its own positions', async () => {
      const receipts = await Promise.all(
        Array.from({ length: 50 }, (_, index) => append(`${index}a`, `${index}b`)),
      );
      const durable = await subject.durableIds();
      expect(durable).toHaveLength(100);
      expect(new Set(durable).size).toBe(100);
      const firsts = receipts.map(({ first }) => first?.offset ?? -1n);
      expect(new Set(firsts).size).toBe(50);
      receipts.forEach((receipt, index) => {
        expect(receipt.count).toBe(2);
        expect(durable.indexOf(`${index}b`)).toBeGreaterThan(durable.indexOf(`${index}a`));
      });
    });

    test('an empty append is answered and writes nothing', async () => {
      expect(await append()).toEqual({ count: 0, first: null, last: null });
      expect(await subject.durableIds()).toEqual([]);
    });

    test('closing answers what was taken, then refuses', async () => {
      const taken = [append('a'), append('b')];
      await log.close();
      expect((await Promise.all(taken)).map(({ count }) => count)).toEqual([1, 1]);
      expect((await subject.durableIds()).sort()).toEqual(['a', 'b']);
      await expect(append('c')).rejects.toMatchObject({ code: 'shutting_down', retryable: true });
    });
  });
}
