import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runDbt, type DbtCall, type DbtOutcome } from './dbt.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'headgate-dbt-'));
  mkdirSync(join(root, 'bin'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

/** dbt as far as its words and its end go: `script` stands in for the interpreter that would run it. */
function run(script: string, call: Partial<DbtCall> = {}): Promise<DbtOutcome> {
  const python = join(root, 'bin', 'python');
  writeFileSync(python, `#!/bin/sh\nread go\n${script}\n`);
  chmodSync(python, 0o755);
  return runDbt({
    dbt: join(root, 'bin', 'dbt'),
    target: 'duckdb',
    scratchDirectory: join(root, 'scratch'),
    environment: {},
    variables: {},
    inherited: { PATH: process.env['PATH'] },
    ...call,
  });
}

const say = (event: object): string => `echo '${JSON.stringify(event)}'`;
const node = (uniqueId: string, seconds: number, name = 'LogModelResult'): string =>
  say({
    info: { name, level: 'info', msg: 'OK' },
    data: { node_info: { unique_id: uniqueId }, execution_time: seconds },
  });
const failure = (uniqueId: string, msg: string): string =>
  say({
    info: { name: 'RunResultError', level: 'error', msg },
    data: { node_info: { unique_id: uniqueId } },
  });

test('nodes are counted as they end, models and tests alike, the slowest first', async () => {
  const told: string[] = [];
  const outcome = await run(
    [node('model.a', 0.2), node('test.a', 1.5, 'LogTestResult'), 'echo "a warning of Python"', 'exit 0'].join(
      '\n',
    ),
    { onNode: (name, done) => told.push(`${done} ${name}`) },
  );
  expect(told).toEqual(['1 model.a', '2 test.a']);
  expect(outcome.slowest).toEqual([
    { node: 'test.a', ms: 1500 },
    { node: 'model.a', ms: 200 },
  ]);
});

test('what failed is named with what dbt said of it', async () => {
  const script = [failure('test.a', 'Got 3 results, configured to fail if != 0'), 'exit 1'].join('\n');
  await expect(run(script)).rejects.toMatchObject({
    code: 'transform_failed',
    failures: [{ node: 'test.a', message: 'Got 3 results, configured to fail if != 0' }],
  });
});

test('when dbt could not even start, its own words are the failure', async () => {
  await expect(run('echo "Runtime Error: no profile" >&2; exit 2')).rejects.toMatchObject({
    code: 'transform_failed',
    failures: [{ node: 'dbt', message: 'Runtime Error: no profile' }],
  });
});

test.each([
  [
    'a model',
    `${failure('model.a', 'IO Error: Could not write file "marts.duckdb": File too large')}\nexit 1`,
  ],
  ['dbt itself', 'echo "OSError: [Errno 28] No space left on device" >&2; exit 2'],
])('a full disk is one error, whoever met it: %s', async (_who, script) => {
  await expect(run(script)).rejects.toMatchObject({ code: 'disk_full', retryable: true });
});

test('a missing exchange rate is an error of its own, with the pair and the date', async () => {
  const message =
    "Conversion Error: Could not convert string 'no exchange rate from EUR to USD on 2026-03-31: record fx.rate_published' to INT64";
  const script = `cat <<'EOF'\n${JSON.stringify({
    info: { name: 'RunResultError', level: 'error', msg: message },
    data: { node_info: { unique_id: 'model.int_cost_months' } },
  })}\nEOF\nexit 1`;
  await expect(run(script)).rejects.toMatchObject({
    code: 'fx_rate_missing',
    message:
      'the run was not published: no exchange rate from EUR to USD on 2026-03-31: record fx.rate_published, then run headgate transform; the previous numbers stay',
  });
});

test('a dbt that was killed from outside says so', async () => {
  await expect(run('kill -9 $$')).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('SIGKILL') as string,
  });
});

test('a stopped run is no failed one', async () => {
  const stop = new AbortController();
  const running = run(`${node('model.a', 0)}\nsleep 600`, {
    signal: stop.signal,
    onNode: () => {
      stop.abort();
    },
  });
  await expect(running).rejects.toMatchObject({ code: 'shutting_down' });
});

test('what differs from run to run is in the environment, and only what parsing needs on the command line', async () => {
  const seen = join(root, 'seen');
  await run(`printf '%s\\n' "$HEADGATE_RUN_VARS" "$@" > ${seen}`, {
    variables: { as_of: '2026-05-01 00:00:00', facts_database: 'facts_7' },
  });
  const [variables = '', ...args] = readFileSync(seen, 'utf8').trim().split('\n');
  expect(JSON.parse(variables)).toEqual({ as_of: '2026-05-01 00:00:00', facts_database: 'facts_7' });
  expect(args[args.indexOf('--vars') + 1]).toBe('{"facts_database":"facts_7"}');
});
