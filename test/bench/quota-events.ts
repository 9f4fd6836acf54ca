import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { formatInstant, MICROS_PER_DAY, type Instant } from '../../core/time.js';
import { systemClock } from '../../cli/runtime.js';

/** One org with `events` this month, `others` with `perOther` each. */
export interface OrgsWanted {
  readonly events: number;
  readonly others: number;
  readonly perOther: number;
}

export interface WrittenOrgs {
  readonly file: string;
  /** Comes in after the run: a hundredth of the large org's, and a few of each other's. */
  readonly tailFile: string;
  /** Of orgs that nobody asks about, as many again. */
  readonly othersFile: string;
  readonly runAsOf: string;
  readonly large: string;
  readonly others: readonly string[];
}

const LARGE = 'org_large';

export async function writeOrgs(directory: string, wanted: OrgsWanted): Promise<WrittenOrgs> {
  const now = systemClock();
  const others = Array.from({ length: wanted.others }, (_, index) => `org_${index}`);
  // All in the period that is open now, which began five days ago.
  const began = now - 5n * MICROS_PER_DAY;
  const runAsOf = now - MICROS_PER_DAY / 24n;
  const file = join(directory, 'quota.ndjson');
  await writeLines(file, function* () {
    for (const orgId of [LARGE, ...others]) yield subscription(orgId, began - MICROS_PER_DAY);
    yield* executions(LARGE, wanted.events, began, runAsOf);
    for (const orgId of others) yield* executions(orgId, wanted.perOther, began, runAsOf);
  });
  const tailFile = join(directory, 'quota-tail.ndjson');
  await writeLines(tailFile, function* () {
    yield* executions(LARGE, Math.floor(wanted.events / 100), runAsOf, now, 'tail');
    for (const orgId of others) yield* executions(orgId, 5, runAsOf, now, 'tail');
  });
  const othersFile = join(directory, 'quota-others.ndjson');
  await writeLines(othersFile, function* () {
    const each = Math.ceil(wanted.events / wanted.others);
    for (const orgId of others) yield* executions(`${orgId}_more`, each, began, runAsOf);
  });
  return { file, tailFile, othersFile, runAsOf: formatInstant(runAsOf), large: LARGE, others };
}

function subscription(orgId: string, at: Instant): string {
  return event(orgId, `sub ${orgId}`, 'subscription.started', at, {
    ...{ subscriptionId: `sub_${orgId}`, currency: 'USD' },
    items: [
      {
        ...{ itemId: 'si', kind: 'plan', productId: 'growth', quantity: 1 },
        ...{ unitAmountMinor: 29_900, interval: 'month', intervalCount: 1 },
      },
    ],
  });
}

function* executions(orgId: string, count: number, from: Instant, to: Instant, mark = ''): Generator<string> {
  const step = (to - from) / BigInt(count + 1);
  for (let index = 0; index < count; index += 1) {
    const id = `${orgId} ${mark}${index}`;
    yield event(orgId, id, 'execution.completed', from + step * BigInt(index + 1), {
      ...{ executionId: id, packageId: 'copilot', durationMs: 12 },
      usage: { ai_operations: '1' },
    });
  }
}

function event(subject: string, id: string, type: string, at: Instant, data: object): string {
  return JSON.stringify({
    specversion: '1.0',
    id,
    source: '/bench',
    type,
    subject,
    time: formatInstant(at),
    data,
  });
}

async function writeLines(file: string, lines: () => Generator<string>): Promise<void> {
  const out = createWriteStream(file);
  let chunk: string[] = [];
  const flush = async (): Promise<void> => {
    if (!out.write(`${chunk.join('\n')}\n`)) await once(out, 'drain');
    chunk = [];
  };
  for (const line of lines()) {
    chunk.push(line);
    if (chunk.length === 5_000) await flush();
  }
  if (chunk.length > 0) await flush();
  out.end();
  await once(out, 'finish');
}
