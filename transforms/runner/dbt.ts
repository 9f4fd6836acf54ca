import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { RefusedError } from '../../core/errors.js';
import { packagePath } from '../../platform/package-path.js';

/** One call of dbt: which target, with which variables, and where its scratch files go. */
export interface DbtCall {
  readonly dbt: string;
  readonly target: 'duckdb' | 'clickhouse';
  /** Scratch that outlives runs, so that partial parsing stays warm. */
  readonly scratchDirectory: string;
  /** Read by `profiles.yml` through `env_var`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly variables: Readonly<Record<string, unknown>>;
  /** What dbt may see of the caller's environment beyond `environment` (PATH, HOME). */
  readonly inherited: Readonly<Record<string, string | undefined>>;
  readonly withUnitTests?: boolean;
  readonly onNode?: (node: string, done: number) => void;
  readonly signal?: AbortSignal;
}

export interface DbtFailure {
  /** `model.headgate.mrr_months`, `test.headgate.tie_outs_hold…` */
  readonly node: string;
  readonly message: string;
}

export interface DbtOutcome {
  readonly nodes: number;
  readonly elapsedMs: number;
  readonly slowest: readonly { readonly node: string; readonly ms: number }[];
}

const LogLine = z.looseObject({
  info: z.looseObject({ name: z.string(), level: z.string(), msg: z.string() }),
  data: z
    .looseObject({ node_info: z.looseObject({ unique_id: z.string().optional() }).optional() })
    .optional(),
});

const RunResults = z.object({
  elapsed_time: z.number(),
  results: z.array(
    z.object({
      unique_id: z.string(),
      status: z.string(),
      message: z.string().nullable(),
      execution_time: z.number(),
    }),
  ),
});

function dbtArguments(call: DbtCall): string[] {
  const project = packagePath('transforms');
  return [
    'build',
    ...['--project-dir', project, '--profiles-dir', project, '--target', call.target],
    ...[
      '--target-path',
      join(call.scratchDirectory, 'target'),
      '--log-path',
      join(call.scratchDirectory, 'logs'),
    ],
    ...['--vars', JSON.stringify(call.variables)],
    ...['--log-format', 'json', '--no-version-check', '--no-send-anonymous-usage-stats'],
    // Unit tests prove the definitions; they say nothing about a company's data, so a run leaves them out.
    ...(call.withUnitTests === true ? [] : ['--exclude-resource-type', 'unit_test']),
  ];
}

/** A build that dbt refused or that a test stopped: the marts that were served stay served. */
export class TransformFailed extends RefusedError {
  constructor(readonly failures: readonly DbtFailure[]) {
    const shown = failures.slice(0, 5).map(({ node, message }) => `  ${node}: ${message}`);
    super(
      'transform_failed',
      `the run was not published: ${failures.length} part(s) of the build failed; the previous numbers stay.\n` +
        shown.join('\n'),
      { details: { failures } },
    );
  }
}

/**
 * Runs `dbt build` to its end.
 *
 * @throws TransformFailed naming each model or test that failed, when dbt says no
 */
export async function runDbt(call: DbtCall): Promise<DbtOutcome> {
  const errors: string[] = [];
  let done = 0;
  const child = spawn(call.dbt, dbtArguments(call), {
    env: { ...call.inherited, ...call.environment, PYTHONUNBUFFERED: '1', DO_NOT_TRACK: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(call.signal === undefined ? {} : { signal: call.signal, killSignal: 'SIGTERM' }),
  });
  const exit = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
  for await (const line of createInterface({ input: child.stdout })) {
    const parsed = parseLogLine(line);
    if (parsed === null) continue;
    if (parsed.info.level === 'error') errors.push(parsed.info.msg);
    const node = parsed.data?.node_info?.unique_id;
    if (parsed.info.name === 'NodeFinished' && node !== undefined) call.onNode?.(node, ++done);
  }
  return outcome(await exit, call, errors);
}

function parseLogLine(line: string): z.infer<typeof LogLine> | null {
  if (!line.startsWith('{')) return null;
  const parsed = LogLine.safeParse(JSON.parse(line));
  return parsed.success ? parsed.data : null;
}

async function outcome(code: number | null, call: DbtCall, errors: readonly string[]): Promise<DbtOutcome> {
  // dbt exits 1 when a node failed (its results say which) and 2 when it could not start (only its words say why).
  if (code !== 0 && code !== 1)
    throw new TransformFailed([{ node: 'dbt', message: errors.join('\n').trim() }]);
  const results = RunResults.parse(
    JSON.parse(await readFile(join(call.scratchDirectory, 'target', 'run_results.json'), 'utf8')),
  );
  const failures = results.results
    .filter(({ status }) => status === 'error' || status === 'fail')
    .map((result) => ({ node: result.unique_id, message: (result.message ?? result.status).trim() }));
  if (code !== 0) {
    throw new TransformFailed(
      failures.length > 0 ? failures : [{ node: 'dbt', message: errors.join('\n').trim() }],
    );
  }
  const slowest = [...results.results]
    .sort((a, b) => b.execution_time - a.execution_time)
    .slice(0, 10)
    .map((result) => ({ node: result.unique_id, ms: Math.round(result.execution_time * 1000) }));
  return { nodes: results.results.length, elapsedMs: Math.round(results.elapsed_time * 1000), slowest };
}
