import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { RefusedError, UnavailableError } from '../../core/errors.js';
import { startDependent } from '../../platform/dependent-process.js';
import { packagePath } from '../../platform/package-path.js';
import { isDiskFull } from '../../platform/warehouse/duckdb-errors.js';
import { DbtLog, type DbtFailure } from './dbt-log.js';

/** One call of dbt: which target, with which variables, and where its scratch files go. */
export interface DbtCall {
  /** The console script of the Python environment. */
  readonly dbt: string;
  readonly target: 'duckdb' | 'clickhouse';
  /** Scratch that outlives runs, so that partial parsing stays warm. */
  readonly scratchDirectory: string;
  /** Where relative paths of the profile start, and where dbt's pid is written; the scratch directory where not said. */
  readonly workingDirectory?: string;
  readonly processFile?: string;
  /** Read by `profiles.yml` through `env_var`. */
  readonly environment: Readonly<Record<string, string>>;
  /** What models ask for with `run_var`. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** What dbt may see of the caller's environment beyond `environment` (PATH, HOME). */
  readonly inherited: Readonly<Record<string, string | undefined>>;
  readonly withUnitTests?: boolean;
  readonly onNode?: (node: string, done: number) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface DbtOutcome {
  readonly nodes: number;
  readonly elapsedMs: number;
  readonly slowest: readonly { readonly node: string; readonly ms: number }[];
}

/** Variables that name relations, which dbt must know when it parses. Others are asked for only when SQL runs. */
const PARSED_VARIABLES: readonly string[] = ['facts_database'];

/** How models say, with the pair and the date, that an amount has no rate (macro `refuse`). */
const MISSING_RATE = /no exchange rate from [^']*/;

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
 * @throws UnavailableError `disk_full`; `shutting_down` when `signal` stopped it; `unavailable` when something else killed it
 */
export async function runDbt(call: DbtCall): Promise<DbtOutcome> {
  await mkdir(call.scratchDirectory, { recursive: true });
  const log = new DbtLog(call.onNode ?? (() => undefined));
  const { child, ended } = startDependent({
    command: join(dirname(call.dbt), 'python'),
    args: [packagePath('transforms', 'runner', 'run_dbt.py'), ...dbtArguments(call)],
    environment: environmentOf(call),
    workingDirectory: call.workingDirectory ?? call.scratchDirectory,
    recordFile: call.processFile ?? join(call.scratchDirectory, 'process.json'),
    signal: call.signal,
  });
  child.stderr.on('data', (chunk: Buffer) => log.errors.push(chunk.toString()));
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    log.line(line);
  });
  const { code, signal } = await ended;
  // dbt exits 1 when a node failed and 2 when it could not start; a run that went well exits 0.
  if (code !== 0) throw failureOf({ signal, isStopped: call.signal?.aborted === true }, log);
  const slowest = [...log.timings].sort((a, b) => b.ms - a.ms).slice(0, 10);
  return { nodes: log.timings.length, elapsedMs: log.elapsedMs, slowest };
}

function failureOf(
  { signal, isStopped }: { signal: string | null; isStopped: boolean },
  log: DbtLog,
): RefusedError | UnavailableError {
  if (isStopped) {
    return new UnavailableError(
      'shutting_down',
      'the transform was stopped before its end; the previous numbers stay',
    );
  }
  const failures = log.failuresOrErrors();
  const missingRate = failures.map(({ message }) => MISSING_RATE.exec(message)?.[0]).find(Boolean);
  if (missingRate !== undefined) {
    return new RefusedError(
      'fx_rate_missing',
      `the run was not published: ${missingRate}, then run headgate transform; the previous numbers stay`,
      { details: { failures } },
    );
  }
  if (failures.some(({ message }) => isDiskFull(message)) || log.errors.some(isDiskFull)) {
    return new UnavailableError('disk_full', 'the disk is full; dbt could not write what it built', {
      details: { failures },
    });
  }
  if (signal !== null) {
    return new UnavailableError(
      'unavailable',
      `the run was not published: dbt was ended from outside (${signal}; short of memory?); the previous numbers stay`,
    );
  }
  return new TransformFailed(failures);
}

/**
 * What differs from run to run goes through the environment, where macros look when SQL runs: dbt parses the whole project again, for
 * two to three seconds, when its `--vars` differ.
 */
function environmentOf(call: DbtCall): Record<string, string | undefined> {
  return {
    ...call.inherited,
    ...call.environment,
    HEADGATE_RUN_VARS: JSON.stringify(call.variables),
    PYTHONUNBUFFERED: '1',
    DO_NOT_TRACK: '1',
  };
}

function dbtArguments(call: DbtCall): string[] {
  const project = packagePath('transforms');
  const parsed = Object.entries(call.variables).filter(([name]) => PARSED_VARIABLES.includes(name));
  return [
    'build',
    ...['--project-dir', project, '--profiles-dir', project, '--target', call.target],
    ...['--target-path', join(call.scratchDirectory, 'target')],
    // Each of these files costs dbt half a second to write, and nobody reads them: what it says comes through its output.
    ...['--no-write-json', '--log-level-file', 'none', '--log-path', join(call.scratchDirectory, 'logs')],
    ...(parsed.length > 0 ? ['--vars', JSON.stringify(Object.fromEntries(parsed))] : []),
    ...['--log-format', 'json', '--no-use-colors', '--no-version-check', '--no-send-anonymous-usage-stats'],
    // Unit tests prove the definitions; they say nothing about a company's data, so a run leaves them out.
    ...(call.withUnitTests === true ? [] : ['--exclude-resource-type', 'unit_test']),
  ];
}
