/**
 * ClickHouse's HTTP protocol in front of the real engine (chdb, in-process), for tests on machines without a server.
 * `@clickhouse/client` and `dbt-clickhouse` run against it unchanged. Queries run one after another: one engine session.
 *
 * Run: `tsx test/services/clickhouse-shim.ts DATA_DIRECTORY [PORT]`; prints `listening PORT` once it answers.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Session } from 'chdb';

/** URL parameters that steer the transport; every other one is a setting of the query. */
const TRANSPORT_PARAMETERS = new Set(
  `database query query_id session_id session_timeout session_check quota_key compress decompress wait_end_of_query
   client_protocol_version default_format user password role buffer_size send_progress_in_http_headers
   http_headers_progress_interval_ms enable_http_compression async`.split(/\s+/),
);

interface Call {
  readonly sql: string;
  readonly payload: Buffer | null;
  readonly database: string | null;
  readonly format: string;
  readonly settings: readonly (readonly [string, string])[];
  readonly parameters: readonly (readonly [string, string])[];
}

class BadCall extends Error {}

function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      resolve(Buffer.concat(chunks));
    });
    request.on('error', reject);
  });
}

function decode(body: Buffer, encoding: string | undefined): Buffer {
  if (encoding === undefined || encoding === 'identity') return body;
  if (encoding === 'gzip') return gunzipSync(body);
  throw new BadCall(`Content-Encoding ${encoding} is not spoken here; send gzip or none`);
}

/** clickhouse-connect sends parameters as form fields when a query carries external data or many of them. */
function formFields(body: Buffer, contentType: string): Map<string, string> {
  const boundary = /boundary=(?:"([^"]+)"|([^;]+))/.exec(contentType);
  const marker = boundary?.[1] ?? boundary?.[2];
  if (marker === undefined) throw new BadCall('multipart without a boundary');
  const fields = new Map<string, string>();
  for (const part of body.toString('utf8').split(`--${marker}`)) {
    const match = /name="([^"]+)"[^]*?\r\n\r\n([^]*?)\r\n$/.exec(part);
    if (match?.[1] !== undefined && match[2] !== undefined) fields.set(match[1], match[2]);
  }
  return fields;
}

function parseCall(request: IncomingMessage, body: Buffer): Call {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const contentType = request.headers['content-type'] ?? '';
  const isForm = contentType.startsWith('multipart/form-data');
  const form = isForm ? formFields(body, contentType) : new Map<string, string>();
  const all = [...url.searchParams, ...form];
  const queryParameter = url.searchParams.get('query') ?? form.get('query') ?? null;
  const header = (name: string): string | null => {
    const value = request.headers[name];
    return typeof value === 'string' ? value : null;
  };
  return {
    sql: queryParameter ?? body.toString('utf8'),
    payload: queryParameter !== null && !isForm && body.length > 0 ? body : null,
    database: url.searchParams.get('database') ?? header('x-clickhouse-database'),
    format: url.searchParams.get('default_format') ?? header('x-clickhouse-format') ?? 'TabSeparated',
    settings: all.filter(([name]) => !name.startsWith('param_') && !TRANSPORT_PARAMETERS.has(name)),
    parameters: all.filter(([name]) => name.startsWith('param_')),
  };
}

const quote = (value: string): string => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** One engine, one session: settings of a call are set before it and taken back after it. */
export class ClickHouseShim {
  private queue: Promise<unknown> = Promise.resolve();
  private readonly session: Session;
  private readonly scratch = mkdtempSync(join(tmpdir(), 'clickhouse-shim-'));
  private uploads = 0;

  constructor(directory: string) {
    this.session = new Session(directory);
  }

  run(call: Call): Promise<Buffer> {
    const turn = this.queue.then(() => this.execute(call));
    this.queue = turn.catch(() => undefined);
    return turn;
  }

  close(): void {
    this.session.close();
    rmSync(this.scratch, { recursive: true, force: true });
  }

  private async execute(call: Call): Promise<Buffer> {
    this.session.query(`USE \`${call.database ?? 'default'}\``, 'Null');
    try {
      for (const [name, value] of call.settings) this.session.query(`SET ${name}=${quote(value)}`, 'Null');
      for (const [name, value] of call.parameters) this.session.query(`SET ${name}=${quote(value)}`, 'Null');
      const result = await this.query(call);
      return Buffer.from(result.bytes());
    } finally {
      for (const [name] of call.settings) this.session.query(`SET ${name}=DEFAULT`, 'Null');
    }
  }

  private async query(call: Call): ReturnType<Session['queryAsync']> {
    if (call.payload === null) return this.session.queryAsync(call.sql, { format: call.format });
    const insert = /^(\s*insert\s+into\s+[^]*?)\s+format\s+(\w+)\s*$/i.exec(call.sql);
    if (!insert) return this.session.queryAsync(`${call.sql}\n${call.payload.toString('utf8')}`, { format: call.format });
    const file = join(this.scratch, `upload-${++this.uploads}`);
    writeFileSync(file, call.payload);
    try {
      const sql = `${insert[1] ?? ''} FROM INFILE ${quote(file)} FORMAT ${insert[2] ?? ''}`;
      return await this.session.queryAsync(sql, { format: call.format });
    } finally {
      rmSync(file, { force: true });
    }
  }
}

function answer(request: IncomingMessage, response: ServerResponse, call: Call, body: Buffer): void {
  const format = /\bformat\s+(\w+)\s*;?\s*$/i.exec(call.sql)?.[1] ?? call.format;
  const zipped =
    (request.headers['accept-encoding'] ?? '').includes('gzip') &&
    (request.url ?? '').includes('enable_http_compression=1');
  response.writeHead(200, {
    'Content-Type': 'text/plain; charset=UTF-8',
    'X-ClickHouse-Format': format,
    'X-ClickHouse-Timezone': 'UTC',
    'X-ClickHouse-Server-Display-Name': 'chdb',
    'X-ClickHouse-Summary': '{"read_rows":"0","read_bytes":"0","written_rows":"0","written_bytes":"0"}',
    ...(zipped ? { 'Content-Encoding': 'gzip' } : {}),
  });
  response.end(zipped ? gzipSync(body) : body);
}

function refuse(response: ServerResponse, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  const code = /Code: (\d+)/.exec(message)?.[1] ?? '1';
  response.writeHead(error instanceof BadCall ? 400 : 500, { 'X-ClickHouse-Exception-Code': code });
  response.end(message.startsWith('Code') ? message : `Code: ${code}. DB::Exception: ${message}`);
}

async function handle(shim: ClickHouseShim, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url === '/ping') {
    response.end('Ok.\n');
    return;
  }
  try {
    const call = parseCall(request, decode(await readBody(request), request.headers['content-encoding']));
    answer(request, response, call, await shim.run(call));
  } catch (error) {
    refuse(response, error);
  }
}

const [directory, port = '0'] = process.argv.slice(2);
if (directory === undefined) throw new Error('clickhouse-shim: name the data directory');
const shim = new ClickHouseShim(directory);
const server = createServer((request, response) => void handle(shim, request, response));
server.listen(Number(port), '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') console.log(`listening ${address.port}`);
});
process.on('SIGTERM', () => {
  server.close(() => {
    shim.close();
    process.exit(0);
  });
  server.closeAllConnections();
});
