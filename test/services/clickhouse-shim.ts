/**
 * ClickHouse's HTTP protocol in front of the real engine (chdb, in-process), for tests on machines without a server.
 * `@clickhouse/client` and `dbt-clickhouse` run against it unchanged. Calls run one after another.
 *
 * Run: `tsx test/services/clickhouse-shim.ts DATA_DIRECTORY [PORT [BEHAVIOUR]]`; prints `listening PORT` once it answers, and ends on
 * SIGTERM or when its standard input does, so that it never outlives the test that started it. BEHAVIOUR is JSON: what an engine in
 * this process lacks, and a server has (a password, TLS, another version).
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { BadCall, readCall, type ClickHouseCall } from './clickhouse-call.js';
import { ClickHouseEngine, type ClickHouseAnswer } from './clickhouse-engine.js';

const Behaviour = z.object({
  password: z.string().default(''),
  /** What `version()` says; the engine stays what it is. */
  version: z.string().optional(),
  tls: z.object({ certificate: z.string(), key: z.string() }).optional(),
});
type Behaviour = z.infer<typeof Behaviour>;

const ENCODERS: readonly (readonly [string, (body: Buffer) => Buffer])[] = [
  ['gzip', (body) => gzipSync(body)],
  ['deflate', (body) => deflateSync(body)],
  ['br', (body) => brotliCompressSync(body)],
];

/** Exceptions that a ClickHouse server answers with another status than 500. */
const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  '60': 404, // unknown table
  '81': 404, // unknown database
  '46': 404, // unknown function
  '62': 400, // syntax
  '115': 404, // unknown setting
  '456': 400, // a parameter without a value
  '516': 403, // user or password
};

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  call: ClickHouseCall,
  { bytes, rows }: ClickHouseAnswer,
): void {
  const accepted = String(request.headers['accept-encoding']);
  const isWished = (request.url ?? '').includes('enable_http_compression=1');
  const encoder = isWished ? ENCODERS.find(([name]) => accepted.includes(name)) : undefined;
  const format = /\bformat\s+(\w+)\s*;?\s*$/i.exec(call.sql)?.[1] ?? call.format;
  response.writeHead(200, {
    'Content-Type': 'text/plain; charset=UTF-8',
    'X-ClickHouse-Format': format,
    'X-ClickHouse-Query-Id': call.queryId,
    'X-ClickHouse-Timezone': 'UTC',
    'X-ClickHouse-Server-Display-Name': 'chdb',
    'X-ClickHouse-Summary': JSON.stringify({
      read_rows: String(rows),
      read_bytes: '0',
      written_rows: '0',
      written_bytes: '0',
      result_rows: String(rows),
    }),
    ...(encoder === undefined ? {} : { 'Content-Encoding': encoder[0] }),
  });
  response.end(encoder === undefined ? bytes : encoder[1](bytes));
}

function refuse(response: ServerResponse, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  const code = /Code: (\d+)/.exec(message)?.[1] ?? (error instanceof BadCall ? '36' : '1002');
  const status = STATUS_BY_CODE[code] ?? (error instanceof BadCall ? 400 : 500);
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=UTF-8',
    'X-ClickHouse-Exception-Code': code,
  });
  response.end(message.startsWith('Code') ? message : `Code: ${code}. DB::Exception: ${message}`);
}

/** @throws BadCall as a server would refuse it */
function authenticate(request: IncomingMessage, password: string): void {
  const [, basic = ''] = /^Basic (.+)$/.exec(request.headers.authorization ?? '') ?? [];
  const [user = 'default', ...given] = Buffer.from(basic, 'base64').toString('utf8').split(':');
  const header = request.headers['x-clickhouse-key'];
  if ((typeof header === 'string' ? header : given.join(':')) === password) return;
  throw new BadCall(
    `Code: 516. DB::Exception: ${user || 'default'}: Authentication failed: password is incorrect, or there is no user with such name. (AUTHENTICATION_FAILED)`,
  );
}

async function handle(
  engine: ClickHouseEngine,
  { password, version }: Behaviour,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? '/').replace(/\?.*$/, '');
  if (path === '/ping') {
    response.end('Ok.\n');
    return;
  }
  try {
    if (path !== '/') throw new BadCall(`there is nothing at ${path}; queries go to /`);
    authenticate(request, password);
    const given = await readCall(request);
    const call =
      version === undefined ? given : { ...given, sql: given.sql.replaceAll('version()', `'${version}'`) };
    answer(request, response, call, await engine.run(call, () => !response.destroyed));
  } catch (error) {
    refuse(response, error);
  }
}

function serverOf(
  tls: Behaviour['tls'],
  listener: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  if (tls === undefined) return createServer(listener);
  return createTlsServer({ cert: tls.certificate, key: tls.key }, listener);
}

function serve(directory: string, port: number, behaviour: Behaviour): void {
  const engine = new ClickHouseEngine(directory);
  const server = serverOf(
    behaviour.tls,
    (request, response) => void handle(engine, behaviour, request, response),
  );
  server.listen(port, '127.0.0.1', () => {
    const address = server.address();
    if (address !== null && typeof address === 'object') console.log(`listening ${address.port}`);
  });
  const stop = (): void => {
    server.close(() => {
      engine.close();
      process.exit(0);
    });
    server.closeAllConnections();
  };
  process.once('SIGTERM', stop);
  // A parent that was killed could not say so otherwise. A terminal's input stays open.
  if (!process.stdin.isTTY) process.stdin.resume().once('end', stop);
}

const [directory, port = '0', behaviour = '{}'] = process.argv.slice(2);
if (directory === undefined) throw new Error('clickhouse-shim: name the data directory');
serve(directory, Number(port), Behaviour.parse(JSON.parse(behaviour)));
