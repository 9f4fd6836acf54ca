import { z } from 'zod';
import { showCount } from '../numbers.js';
import { check, type Check } from './check.js';

const Stream = z.object({
  stream: z.string(),
  rows: z.number(),
  behind: z.number(),
  last_recorded_at: z.string().nullable(),
});

/** What `GET /v1/status` answers, as far as doctor reads it. */
export const StatusAnswer = z.object({
  code_revision: z.string(),
  sql: z.object({
    version: z.string(),
    is_server: z.boolean(),
    survives_power_cut: z.boolean(),
    audit: z.object({ is_whole: z.boolean(), entries: z.number(), problem: z.string().nullable() }),
  }),
  warehouse: z.object({
    engine: z.enum(['duckdb', 'clickhouse']),
    version: z.string(),
    streams: z.array(Stream),
  }),
  log: z
    .object({
      consumer: z
        .object({ state: z.string(), last_error: z.string().nullable(), lost_messages: z.number() })
        .nullable(),
      lags: z.array(z.object({ stream: z.string(), partition: z.number(), messages: z.number() })),
    })
    .nullable(),
  lake: z.object({ parts: z.number(), bytes: z.number() }),
  catalog_version: z.number().nullable(),
  run: z.object({ run_id: z.string(), as_of: z.string(), finished_at: z.string().nullable() }).nullable(),
  last_failure: z.object({ run_id: z.string(), started_at: z.string(), failure: z.string() }).nullable(),
  open: z.object({ quarantined: z.number(), conflicts: z.number() }),
  inbox: z.object({
    received: z.number(),
    waiting: z.number(),
    failed: z.number(),
    oldest_at: z.string().nullable(),
    problem: z.string().nullable(),
  }),
});
export type Status = z.infer<typeof StatusAnswer>;

const EMBEDDED = 'embedded';
const DAY_MS = 86_400_000;
const count = (value: number): string => showCount(BigInt(value));

function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** What only the process that holds the directory can say. */
export function engineChecks(status: Status, nowMs: number): Check[] {
  return [
    storeCheck(status),
    auditCheck(status),
    logCheck(status),
    warehouseCheck(status),
    ...(status.warehouse.engine === 'duckdb' ? [lakeCheck(status)] : []),
    catalogCheck(status),
    runCheck(status, nowMs),
    quarantineCheck(status),
    inboxCheck(status, nowMs),
  ];
}

function storeCheck({ sql }: Status): Check {
  return check('store (SQL)', {
    configured: sql.is_server ? 'a server (DATABASE_URL)' : `${EMBEDDED} (DATABASE_URL is not set)`,
    version: sql.version,
    says: sql.survives_power_cut
      ? 'answers'
      : 'answers; survives a killed process, not a power cut: no live Stripe keys or payouts on it',
  });
}

function auditCheck({ sql: { audit } }: Status): Check {
  return check('audit log', {
    state: audit.is_whole ? 'well' : 'broken',
    configured: 'append-only, each entry holds the hash of the one before',
    says: audit.is_whole
      ? `${audit.entries === 1 ? '1 entry' : `${count(audit.entries)} entries`}, the chain is whole`
      : `entry ${audit.entries}: ${audit.problem ?? ''}`,
    advice: audit.is_whole ? null : 'somebody changed the store by hand: compare it with a backup',
  });
}

/** More than this many messages on their way, and somebody should look. */
const LONG_LAG = 100_000;

function logCheck({ log }: Status): Check {
  if (log === null) {
    return check('event log', {
      configured: `${EMBEDDED} (KAFKA_BROKERS is not set)`,
      says: 'the warehouse itself: what was accepted is in it',
    });
  }
  const configured = 'topics on a cluster (KAFKA_BROKERS)';
  const behind = log.lags.reduce((sum, { messages }) => sum + messages, 0);
  const lost = log.consumer?.lost_messages ?? 0;
  if (log.consumer?.state === 'refused' || lost > 0) {
    return check('event log', {
      state: 'broken',
      configured,
      says:
        lost > 0
          ? `retention took ${plural(lost, 'message')} before they were read`
          : (log.consumer?.last_error ?? 'the consumer has stopped'),
      advice: 'do what it says, then start the consumer again',
    });
  }
  const worst = [...log.lags].sort((a, b) => b.messages - a.messages)[0];
  return check('event log', {
    state: behind > LONG_LAG || log.consumer?.state === 'waiting' ? 'attention' : 'well',
    configured,
    says:
      behind === 0
        ? `reachable, ${plural(log.lags.length, 'partition')}, nothing is on its way`
        : `${plural(behind, 'message')} on their way, most in ${worst?.stream ?? ''} ${worst?.partition ?? ''}`,
    advice:
      behind > LONG_LAG
        ? 'is a process with --role consumer running? More of them share the partitions'
        : null,
  });
}

function warehouseCheck({ warehouse, run }: Status): Check {
  const rows = warehouse.streams.reduce((sum, stream) => sum + stream.rows, 0);
  const late = warehouse.streams.filter(({ behind }) => behind > 0);
  const behind = late.map(({ stream, behind: missing }) => `${count(missing)} ${stream}`).join(', ');
  const isBehind = run !== null && late.length > 0;
  const parts = warehouse.streams.map(({ stream, rows: held }) => `${count(held)} ${stream}`).join(', ');
  return check('warehouse', {
    state: isBehind ? 'attention' : 'well',
    configured:
      warehouse.engine === 'clickhouse'
        ? 'a ClickHouse server (CLICKHOUSE_URL)'
        : `${EMBEDDED} DuckDB (CLICKHOUSE_URL is not set)`,
    version: warehouse.version,
    says: `${plural(rows, 'raw event')} (${parts})${isBehind ? `; the current run has not seen ${behind}` : ''}`,
    advice: isBehind ? 'headgate transform' : rows === 0 ? 'headgate ingest <file>, or headgate demo' : null,
  });
}

function lakeCheck({ lake }: Status): Check {
  return check('lake', {
    configured: `${EMBEDDED} (Parquet in the data directory)`,
    says: `${plural(lake.parts, 'part')}, ${count(Math.ceil(lake.bytes / 1024))} KiB; each transform exports what is new`,
  });
}

function catalogCheck({ catalog_version: version }: Status): Check {
  return check('catalog', {
    state: version === null ? 'attention' : 'well',
    configured: 'the newest published version',
    version: version === null ? null : String(version),
    says:
      version === null
        ? 'none is published: targets, scores, commissions and overage stay empty'
        : 'published',
    advice: version === null ? 'headgate catalog publish <file>' : null,
  });
}

function runCheck({ run, last_failure: failure }: Status, nowMs: number): Check {
  const configured = 'the run that answers questions';
  if (failure !== null) {
    return check('run', {
      state: 'attention',
      configured,
      version: run?.run_id ?? null,
      says: `the newest run failed (${failure.started_at}): ${failure.failure.split('\n', 1)[0] ?? ''}`,
      advice: 'mend what it says, then headgate transform; until then the numbers before it are served',
    });
  }
  if (run === null) {
    return check('run', { state: 'attention', configured, says: 'none yet', advice: 'headgate transform' });
  }
  const days = Math.floor((nowMs - Date.parse(run.finished_at ?? run.as_of)) / DAY_MS);
  const age = days < 1 ? 'made today' : `made ${days} day${days === 1 ? '' : 's'} ago`;
  return check('run', {
    state: days > 1 ? 'attention' : 'well',
    configured,
    version: run.run_id,
    says: `as of ${run.as_of}, ${age}`,
    advice: days > 1 ? 'headgate transform brings it up to now' : null,
  });
}

function quarantineCheck({ open }: Status): Check {
  const isClear = open.quarantined === 0 && open.conflicts === 0;
  return check('quarantine', {
    state: isClear ? 'well' : 'attention',
    configured: 'what did not pass waits for somebody',
    says: isClear
      ? 'nothing waits'
      : `${plural(open.quarantined, 'event')} did not pass, ${plural(open.conflicts, 'conflict')} ${open.conflicts === 1 ? 'is' : 'are'} undecided`,
    advice: isClear ? null : 'headgate quarantine list; headgate quarantine conflicts',
  });
}

const HOUR_MS = 3_600_000;

/** What was told a moment ago is on its way; what has been for an hour is stuck. */
function inboxCheck({ inbox }: Status, nowMs: number): Check {
  const { received, waiting, failed, oldest_at: oldestAt, problem } = inbox;
  const isStuck = oldestAt !== null && nowMs - Date.parse(oldestAt) > HOUR_MS;
  const isWell = waiting === 0 && failed === 0 && !isStuck;
  const parts = [
    ...(failed === 0 ? [] : [`${count(failed)} could not be taken in`]),
    ...(waiting === 0 ? [] : [`${count(waiting)} wait for a customer to be linked`]),
    ...(received === 0 ? [] : [`${count(received)} on their way`]),
    ...(oldestAt === null ? [] : [`the oldest since ${oldestAt}`]),
    ...(problem === null ? [] : [problem]),
  ];
  return check('Stripe inbox', {
    state: isWell ? 'well' : 'attention',
    configured: 'what Stripe told, until it is in events',
    says: parts.length === 0 ? 'nothing waits' : parts.join('; '),
    advice: isWell
      ? null
      : failed > 0
        ? 'mend what it says, then headgate billing backfill tries it again'
        : waiting > 0
          ? 'headgate billing link <org> <customer>'
          : 'is headgate serve running, with STRIPE_SECRET_KEY?',
  });
}
