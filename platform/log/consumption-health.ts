import type { Logger } from 'pino';
import type { HeadgateError } from '../../core/errors.js';
import type { ConsumptionStatus } from './event-log.js';
import type { LostMessages } from './kafka-resume.js';

/** How a consumption is, and telling it once whenever that changes. */
export class ConsumptionHealth {
  state: ConsumptionStatus['state'] = 'starting';
  lastError: HeadgateError | null = null;
  private readonly lost = new Map<string, LostMessages>();

  constructor(private readonly logger: Logger) {}

  get lostMessages(): bigint {
    return [...this.lost.values()].reduce((sum, { count }) => sum + count, 0n);
  }

  isWell(): void {
    if (this.lastError !== null) this.logger.info('consumer: goes on');
    this.state = 'running';
    this.lastError = null;
  }

  mustWait(error: HeadgateError): void {
    const isNew = this.lastError?.message !== error.message;
    this.state = 'waiting';
    this.lastError = error;
    if (isNew) this.logger.warn({ error }, 'consumer: waits and tries again');
  }

  isRefused(error: HeadgateError): void {
    this.state = 'refused';
    this.lastError = error;
    this.logger.error({ error }, 'consumer: reads nothing more');
  }

  isStopped(): void {
    if (this.state !== 'refused') this.state = 'stopped';
  }

  hasLost(messages: readonly LostMessages[]): void {
    for (const range of messages) {
      const key = `${range.topic} ${range.partition} ${range.first}`;
      if (this.lost.has(key)) continue;
      this.lost.set(key, range);
      this.logger.error(
        {
          topic: range.topic,
          partition: range.partition,
          first: range.first.toString(),
          count: range.count.toString(),
        },
        'consumer: retention removed messages before they were read; raise HEADGATE_KAFKA_RETENTION_DAYS and the topic’s retention.ms',
      );
    }
  }
}
