import type { IncomingMessage } from 'node:http';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';

/** One call of ClickHouse's HTTP interface, taken apart. */
export interface ClickHouseCall {
  readonly sql: string;
  /** Rows of an insert (or the rest of the statement) that came in the body while the statement came in the URL. */
  readonly payload: Buffer | null;
  readonly database: string;
  readonly format: string;
  readonly queryId: string;
  /** Names a session: what it SETs holds for its later calls. */
  readonly sessionId: string | null;
  readonly settings: readonly (readonly [string, string])[];
  /** Values for `{name:Type}` in the statement, without their `param_`. */
  readonly parameters: readonly (readonly [string, string])[];
}

/** A call that no ClickHouse would understand, or that this one does not speak; the message says what to do. */
export class BadCall extends Error {}

/** URL parameters that steer the transport; every other one is a setting of the query. */
const TRANSPORT_PARAMETERS = new Set(
  `database query query_id session_id session_timeout session_check quota_key compress decompress wait_end_of_query
   client_protocol_version default_format user password role buffer_size send_progress_in_http_headers
   http_headers_progress_interval_ms enable_http_compression async`.split(/\s+/),
);

const DECODERS: Readonly<Record<string, (body: Buffer) => Buffer>> = {
  identity: (body) => body,
  gzip: (body) => gunzipSync(body),
  deflate: (body) => inflateSync(body),
  br: (body) => brotliDecompressSync(body),
};

/** @throws BadCall */
export async function readCall(request: IncomingMessage): Promise<ClickHouseCall> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const header = (name: string): string | null => {
    const value = request.headers[name];
    return typeof value === 'string' ? value : null;
  };
  const body = decode(await readBody(request), header('content-encoding') ?? 'identity');
  const contentType = header('content-type') ?? '';
  const isForm = contentType.startsWith('multipart/form-data');
  const form = isForm ? formFields(body, contentType) : new Map<string, string>();
  const inUrl = (name: string): string | null => url.searchParams.get(name);
  for (const native of ['compress', 'decompress']) {
    if (inUrl(native) === '1') {
      throw new BadCall(`${native}=1 (ClickHouse's own block compression) is not spoken here; use gzip`);
    }
  }
  const statement = inUrl('query') ?? form.get('query') ?? null;
  const all = [...url.searchParams, ...form];
  const call: ClickHouseCall = {
    sql: statement ?? body.toString('utf8'),
    payload: statement !== null && !isForm && body.length > 0 ? body : null,
    database: inUrl('database') ?? header('x-clickhouse-database') ?? 'default',
    format: inUrl('default_format') ?? header('x-clickhouse-format') ?? 'TabSeparated',
    queryId: inUrl('query_id') ?? crypto.randomUUID(),
    sessionId: inUrl('session_id'),
    settings: all.filter(([name]) => !name.startsWith('param_') && !TRANSPORT_PARAMETERS.has(name)),
    parameters: all
      .filter(([name]) => name.startsWith('param_'))
      .map(([name, value]) => [name.slice('param_'.length), value] as const),
  };
  if (call.sql.trim() === '') throw new BadCall('Empty query: send it as ?query= or as the body');
  return call;
}

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

function decode(body: Buffer, encoding: string): Buffer {
  const decoder = DECODERS[encoding];
  if (decoder === undefined) {
    throw new BadCall(
      `Content-Encoding ${encoding} is not spoken here; send ${Object.keys(DECODERS).join(', ')}`,
    );
  }
  try {
    return decoder(body);
  } catch (error) {
    throw new BadCall(
      `the body is not ${encoding}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** clickhouse-connect sends parameters as form fields when there are many of them. */
function formFields(body: Buffer, contentType: string): Map<string, string> {
  const boundary = /boundary=(?:"([^"]+)"|([^;]+))/.exec(contentType);
  const marker = boundary?.[1] ?? boundary?.[2];
  if (marker === undefined) throw new BadCall('multipart without a boundary');
  const fields = new Map<string, string>();
  for (const part of body.toString('utf8').split(`--${marker}`)) {
    const match = /name="([^"]+)"([^]*?)\r\n\r\n([^]*?)\r\n$/.exec(part);
    if (match?.[1] === undefined || match[3] === undefined) continue;
    if (match[2]?.includes('filename=') === true) {
      throw new BadCall(`external data (${match[1]}) is not spoken here; put the rows into a table`);
    }
    fields.set(match[1], match[3]);
  }
  return fields;
}
