import type { Meter } from '@opentelemetry/api';
import type { Instant } from '../core/time.js';
import { MICROS_PER_SECOND } from '../core/time.js';
import { inboxCounts } from '../ingest/stripe/inbox-store.js';
import type { QuarantineStore } from '../ingest/quarantine-store.js';
import type { Sql } from '../platform/sql/sql.js';
import { currentRun } from '../transforms/run-store.js';
import type { TopicsConsumer } from './topics-consumer.js';

interface Observed {
  readonly sql: Sql;
  readonly clock: () => Instant;
  readonly quarantine: QuarantineStore;
  readonly topics: TopicsConsumer | null;
}

/** What a company's operator wants to be woken for, asked when somebody reads it. */
export function observeCompany(meter: Meter, { sql, clock, quarantine, topics }: Observed): void {
  const runAge = meter.createObservableGauge('headgate.run.age.seconds', {
    description: 'How long ago the run that answers questions was measured',
  });
  runAge.addCallback(async (result) => {
    const run = await currentRun(sql);
    if (run !== null) result.observe(Number((clock() - run.asOf) / MICROS_PER_SECOND));
  });
  const waiting = meter.createObservableGauge('headgate.quarantine.open', {
    description: 'Events that did not pass and wait for somebody',
  });
  waiting.addCallback(async (result) => {
    result.observe(await quarantine.count({ status: 'open' }));
  });
  observeInbox(meter, sql, clock);
  if (topics !== null) observeTopics(meter, topics);
}

function observeInbox(meter: Meter, sql: Sql, clock: () => Instant): void {
  const open = meter.createObservableGauge('headgate.inbox.open', {
    description: 'What Stripe told and is not in events yet: on its way, waiting for a link, or failed',
  });
  open.addCallback(async (result) => {
    const { received, waiting, failed } = await inboxCounts(sql);
    for (const [state, rows] of Object.entries({ received, waiting, failed }))
      result.observe(rows, { state });
  });
  const age = meter.createObservableGauge('headgate.inbox.age.seconds', {
    description: 'How long ago the oldest of it came; absent where there is none',
  });
  age.addCallback(async (result) => {
    const { oldestAt } = await inboxCounts(sql);
    if (oldestAt !== null) result.observe(Number((clock() - oldestAt) / MICROS_PER_SECOND));
  });
}

function observeTopics(meter: Meter, topics: TopicsConsumer): void {
  const lag = meter.createObservableGauge('headgate.log.lag', {
    description: 'Messages of a partition that the warehouse has not taken in',
  });
  lag.addCallback(async (result) => {
    for (const { stream, partition, lag: messages } of await topics.lags()) {
      result.observe(Number(messages), { stream, partition });
    }
  });
  const consumes = meter.createObservableGauge('headgate.consumer.running', {
    description:
      '1 while this process takes messages in, 0 while it cannot; absent where it does not consume',
  });
  consumes.addCallback((result) => {
    const status = topics.status();
    if (status !== null) result.observe(status.state === 'running' ? 1 : 0, { state: status.state });
  });
}
