import { z } from '@hono/zod-openapi';
import { RefusedError } from '../../core/errors.js';
import { formatInstant } from '../../core/time.js';
import type { RunAccess, RunChoice } from '../../transforms/run-access.js';
import type { Run } from '../../transforms/run-store.js';
import { STRIPE_PROBLEMS } from '../billing/stripe-problems.js';
import { operation } from '../operation.js';
import { RawAnswer } from '../raw-answer.js';
import { InstantAnswer, InstantArgument } from '../shapes.js';
import { suppliedTables } from './supplied-tables.js';
import { csvOf, objectsOf } from './sql-result.js';

/** Without any run there are still the raw tables. */
async function runOrNone(runs: RunAccess, choice: RunChoice): Promise<Run | null> {
  try {
    return await runs.choose(choice);
  } catch (error) {
    if (error instanceof RefusedError && error.code === 'no_run') return null;
    throw error;
  }
}

function headersOf(run: Run | null): Record<string, string> {
  return run === null ? {} : { 'headgate-run': run.runId, 'headgate-as-of': formatInstant(run.asOf) };
}

export const runSql = operation({
  method: 'post',
  path: '/v1/sql',
  // The marts hold leads, money and partners: one scope alone would open what the others guard.
  scope: ['metrics:read', 'leads:read', 'billing:read', 'partners:read'],
  tag: 'SQL',
  summary: 'One SELECT over the marts of a run and the raw tables',
  description:
    'Read-only, in an engine of its own: nothing of the machine is in reach, and time, memory and rows are bounded. Tables are the marts by ' +
    'their names, and `raw_executions`, `raw_installs`, `raw_billing`, `raw_crm` as the last transform found them; besides, for statements that ' +
    'name them, `usage_periods` of the run, and `ledger_invoices`, `ledger_breaks`, `ops_quarantine` and `ops_freshness` as they are now. In JSON, integers beyond ' +
    '2^53 and decimals are strings.',
  body: z.strictObject({
    sql: z.string().min(1).max(100_000),
    format: z.enum(['json', 'csv', 'parquet']).default('json'),
    as_of: InstantArgument.optional(),
    run_id: z.string().max(80).optional(),
  }),
  onRepeat: 'another go',
  answer: z.object({
    run_id: z.string().nullable(),
    as_of: InstantAnswer.nullable(),
    columns: z.array(z.object({ name: z.string(), type: z.string() })),
    rows: z.array(z.record(z.string(), z.unknown())),
  }),
  otherAnswers: ['text/csv', 'application/vnd.apache.parquet'],
  problems: [
    ...STRIPE_PROBLEMS,
    'no_catalog',
    'invalid_sql',
    'sql_not_read_only',
    'query_timeout',
    'result_too_large',
    'no_run_as_of',
    'run_not_found',
    'unavailable',
  ],

  async handle({ body }, { services, now }) {
    const run = await runOrNone(services.runs, { asOf: body.as_of, runId: body.run_id });
    const tables = () => suppliedTables(body.sql, { run, services, now });
    if (body.format === 'parquet') {
      const bytes = await services.userSql.parquet(run, body.sql, tables);
      return new RawAnswer('application/vnd.apache.parquet', new Uint8Array(bytes), headersOf(run));
    }
    const result = await services.userSql.query(run, body.sql, tables);
    if (body.format === 'csv') return new RawAnswer('text/csv; charset=utf-8', csvOf(result), headersOf(run));
    const { columns, rows } = objectsOf(result);
    return { run_id: run?.runId ?? null, as_of: run?.asOf ?? null, columns, rows };
  },
});
