import { Option, type Command } from 'commander';
import { z } from 'zod';
import { apiJson } from '../../api/json-answer.js';
import { instantArgument, statementArgument } from '../arguments.js';
import { withClient } from '../command.js';
import { withExamples } from '../help.js';
import { showCount } from '../numbers.js';
import { table } from '../output.js';
import { originOf } from '../pages.js';

const FORMATS = ['table', 'json', 'csv', 'parquet'] as const;

const SqlAnswer = z.object({
  run_id: z.string().nullable(),
  as_of: z.string().nullable(),
  columns: z.array(z.object({ name: z.string(), type: z.string() })),
  rows: z.array(z.record(z.string(), z.unknown())),
});
type SqlAnswer = z.infer<typeof SqlAnswer>;

interface Options {
  readonly format?: (typeof FORMATS)[number];
  readonly asOf?: string;
  readonly run?: string;
}

const NUMBERS = /^(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT|U[A-Z]*INT[A-Z]*|FLOAT|DOUBLE|DECIMAL)/;

export function addSqlCommand(program: Command): void {
  const sql = program
    .command('sql')
    .argument('<select>', 'one SELECT (or DESCRIBE, SHOW, SUMMARIZE)', statementArgument)
    .description('ask the marts of a run, and the raw tables, in SQL; nothing can be changed with it')
    .addOption(new Option('--format <format>', 'table unless --json says json').choices(FORMATS))
    .option('--as-of <instant>', 'the run measured as of this instant', instantArgument)
    .option('--run <run>', 'the run with this id')
    .action(async (statement: string, options: Options, command: Command) => {
      if (options.format === 'parquet' && process.stdout.isTTY) {
        command.error('error: Parquet is not for a terminal; add: > rows.parquet');
      }
      await withClient(command, async (client, { output }) => {
        const format = options.format ?? (output.isJson ? 'json' : 'table');
        const isWritten = format === 'csv' || format === 'parquet';
        const call = {
          method: 'POST',
          path: '/v1/sql',
          json: {
            sql: statement,
            as_of: options.asOf,
            run_id: options.run,
            format: isWritten ? format : 'json',
          },
        } as const;
        if (isWritten) {
          output.bytes(await client.bytes(call));
          return;
        }
        const answer = await client.call(call, SqlAnswer);
        // One array of objects, for programs that know nothing of runs.
        output.bytes(Buffer.from(`${format === 'json' ? apiJson(answer.rows) : describeRows(answer)}\n`));
      });
    });
  withExamples(
    sql,
    'headgate sql "SELECT month, currency, close_minor FROM mrr_months WHERE dimension = \'all\' ORDER BY month"',
    'headgate sql "SHOW TABLES"',
    'headgate sql "SELECT * FROM mrr_movements" --format parquet > movements.parquet',
  );
}

function describeRows({ columns, rows, as_of: asOf, run_id: runId }: SqlAnswer): string {
  const body = table(
    columns.map(({ name }) => name),
    rows.map((row) => columns.map(({ name }) => cellOf(row[name]))),
    columns.map(({ type }) => (NUMBERS.test(type) ? 'right' : 'left')),
  );
  const origin = asOf === null || runId === null ? 'no run yet: raw tables only' : originOf(asOf, runId);
  const counted = rows.length === 1 ? '1 row' : `${showCount(BigInt(rows.length))} rows`;
  return `${body}\n\n${counted}, ${origin}`;
}

function cellOf(value: unknown): string {
  if (value === null || value === undefined) return '–';
  return typeof value === 'string' ? value : apiJson(value);
}
