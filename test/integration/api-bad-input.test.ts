import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operations } from '../../api/operations.js';
import { serve, type RunningServer } from '../../api/serve.js';
import { openApiTestBed, type ApiTestBed, type Call } from '../api-test-bed.js';

let bed: ApiTestBed;
let server: RunningServer;
beforeAll(async () => {
  bed = await openApiTestBed({ HEADGATE_MAX_BODY_BYTES: '4096', HEADGATE_MAX_FILE_BYTES: '65536' });
  const { services, directory } = bed.runtime;
  server = await serve({
    services,
    host: '127.0.0.1',
    port: 0,
    publishServer: (server) => directory.publishServer(server),
  });
});
afterAll(async () => {
  await server.stop(1000);
  await bed.close();
});

/** What is wrong, the request, and the answer it must get. */
const TABLE: readonly (readonly [string, Call, number, string])[] = [
  ['no such path', { path: '/v1/nothing' }, 404, 'route_not_found'],
  ['a slash too many', { path: '/v1/metrics/' }, 404, 'route_not_found'],
  ['another method', { method: 'DELETE', path: '/v1/metrics' }, 405, 'method_not_allowed'],
  ['a method on a path with an id', { method: 'PUT', path: '/v1/runs/run_1' }, 405, 'method_not_allowed'],
  ['a method on the docs', { method: 'POST', path: '/docs', json: {} }, 405, 'method_not_allowed'],
  ['OPTIONS, which we have no use for', { method: 'OPTIONS', path: '/v1/keys' }, 405, 'method_not_allowed'],
  ['a body that is not JSON', { path: '/v1/keys', body: '{', type: 'application/json' }, 400, 'invalid_json'],
  [
    'a body that is not UTF-8',
    { path: '/v1/keys', body: Buffer.from([0x7b, 0xff, 0x7d]), type: 'application/json' },
    400,
    'invalid_utf8',
  ],
  ['a list for an object', { path: '/v1/keys', json: [] }, 400, 'invalid_argument'],
  ['null for an object', { path: '/v1/keys', json: null }, 400, 'invalid_argument'],
  ['no body where one is needed', { method: 'POST', path: '/v1/keys' }, 400, 'invalid_argument'],
  [
    'a field that is not known',
    { path: '/v1/keys', json: { name: 'a', role: 'sales', owner: 'b' } },
    400,
    'invalid_argument',
  ],
  [
    'a role that is not known',
    { path: '/v1/keys', json: { name: 'a', role: 'king' } },
    400,
    'invalid_argument',
  ],
  ['a key that could do nothing', { path: '/v1/keys', json: { name: 'a' } }, 400, 'invalid_argument'],
  [
    'nesting that has no sense',
    { path: '/v1/keys', body: '['.repeat(50_000) + ']'.repeat(50_000), type: 'application/json' },
    400,
    'invalid_argument',
  ],
  [
    'a text that no store takes',
    { path: '/v1/keys', json: { name: 'a\0b', role: 'sales' } },
    400,
    'invalid_argument',
  ],
  [
    'a form',
    { path: '/v1/keys', body: 'name=a', type: 'application/x-www-form-urlencoded' },
    415,
    'unsupported_media_type',
  ],
  ['no content-type', { path: '/v1/keys', body: Buffer.from('{}') }, 415, 'unsupported_media_type'],
  [
    'another charset',
    { path: '/v1/keys', body: '{}', type: 'application/json; charset=utf-16' },
    415,
    'unsupported_media_type',
  ],
  [
    'a packed body',
    { path: '/v1/events', body: '{}', type: 'application/json', headers: { 'content-encoding': 'gzip' } },
    415,
    'unsupported_media_type',
  ],
  ['events as text', { path: '/v1/events', body: '{}', type: 'text/plain' }, 415, 'unsupported_media_type'],
  [
    'a body over the limit',
    { path: '/v1/events', body: `"${'x'.repeat(5000)}"`, type: 'application/json' },
    413,
    'body_too_large',
  ],
  [
    'an array that breaks off',
    { path: '/v1/events', body: '[{"a":1},', type: 'application/json' },
    400,
    'invalid_json',
  ],
  [
    'no event at all',
    { path: '/v1/events', body: '', type: 'application/x-ndjson', method: 'POST' },
    400,
    'invalid_input',
  ],
  [
    'a file without a name',
    { path: '/v1/files', body: 'x', type: 'application/octet-stream' },
    400,
    'invalid_argument',
  ],
  [
    'a file name with a path',
    { path: '/v1/files?name=..%2Fx.ndjson', body: 'x', type: 'application/octet-stream' },
    400,
    'invalid_argument',
  ],
  [
    'a file name that is a path',
    { path: '/v1/files?name=..', body: 'x', type: 'application/octet-stream' },
    400,
    'invalid_argument',
  ],
  [
    'a CSV without a mapping',
    { path: '/v1/files?name=a.csv', body: 'x', type: 'application/octet-stream' },
    400,
    'invalid_argument',
  ],
  [
    'a ZIP called .ndjson',
    {
      path: '/v1/files?name=a.ndjson',
      body: Buffer.from([0x50, 0x4b, 3, 4, 0, 0]),
      type: 'application/octet-stream',
    },
    400,
    'unsupported_format',
  ],
  [
    'a file over the limit',
    { path: '/v1/files?name=a.ndjson', body: 'x'.repeat(70_000), type: 'application/octet-stream' },
    413,
    'body_too_large',
  ],
  ['an event type that is not known', { path: '/v1/schemas/install.creatd' }, 404, 'unknown_event_type'],
  [
    'an event type that is a property of every object',
    { path: '/v1/schemas/constructor' },
    404,
    'unknown_event_type',
  ],
  ['a metric that is not known', { path: '/v1/metrics/mmr' }, 404, 'unknown_metric'],
  ['a metric in another grain', { path: '/v1/metrics/mrr?grain=week' }, 400, 'invalid_argument'],
  ['a date that is none', { path: '/v1/metrics/mrr?from=2026-02-30' }, 400, 'invalid_argument'],
  [
    'an as-of without an offset',
    { path: '/v1/metrics/mrr?as_of=2026-01-01T00:00:00' },
    400,
    'invalid_argument',
  ],
  ['a limit of nothing', { path: '/v1/runs?limit=0' }, 400, 'invalid_argument'],
  ['a limit beyond the most', { path: '/v1/runs?limit=201' }, 400, 'invalid_argument'],
  ['a limit with a fraction', { path: '/v1/runs?limit=1.5' }, 400, 'invalid_argument'],
  ['a parameter given twice', { path: '/v1/runs?limit=1&limit=2' }, 400, 'invalid_argument'],
  ['a cursor that nobody gave', { path: '/v1/runs?cursor=abc' }, 400, 'invalid_cursor'],
  ['an empty cursor', { path: '/v1/runs?cursor=' }, 400, 'invalid_argument'],
  ['numbers before the first run', { path: '/v1/metrics/mrr' }, 409, 'no_run'],
  [
    'an as-of that nobody measured',
    { path: '/v1/metrics/mrr?as_of=2026-01-01T00:00:00Z' },
    409,
    'no_run_as_of',
  ],
  ['leads before the first run', { path: '/v1/leads' }, 409, 'no_run'],
  ['a grade that is none', { path: '/v1/leads?grade=E' }, 400, 'invalid_argument'],
  ['an order that is none', { path: '/v1/leads?sort=email' }, 400, 'invalid_argument'],
  ['a month that is none', { path: '/v1/commissions?month=2026-13' }, 400, 'invalid_argument'],
  ['a day where a month belongs', { path: '/v1/commissions?month=2026-01-02' }, 400, 'invalid_argument'],
  ['a run that is not there', { path: '/v1/runs/run_nope' }, 404, 'run_not_found'],
  ['no catalog yet', { path: '/v1/catalog' }, 404, 'no_catalog'],
  ['a version that is no number', { path: '/v1/catalog?version=one' }, 400, 'invalid_argument'],
  ['a version that is not there', { path: '/v1/catalog?version=7' }, 404, 'catalog_not_found'],
  [
    'a catalog that is none',
    { path: '/v1/catalog', json: { action: 'publish', source: 'x: 1' } },
    422,
    'catalog_invalid',
  ],
  ['an event that is not in quarantine', { path: '/v1/quarantine/qrn_00' }, 404, 'quarantine_not_found'],
  ['an id of another kind', { path: '/v1/quarantine/lead_7' }, 400, 'invalid_argument'],
  [
    'a conflict that is not there',
    { path: '/v1/quarantine/conflicts/cfl_0/decide', json: { decision: 'first', reason: 'x' } },
    404,
    'not_found',
  ],
  [
    'a discard without a reason',
    { path: '/v1/quarantine/qrn_00/discard', json: { reason: ' ' } },
    400,
    'invalid_argument',
  ],
  ['a key that is not there', { method: 'DELETE', path: '/v1/keys/key_nope' }, 404, 'not_found'],
  ['two statements of SQL', { path: '/v1/sql', json: { sql: 'select 1; select 2' } }, 400, 'invalid_sql'],
  ['SQL that writes', { path: '/v1/sql', json: { sql: 'create table t (a int)' } }, 400, 'sql_not_read_only'],
  ['SQL that is none', { path: '/v1/sql', json: { sql: 'selec 1' } }, 400, 'invalid_sql'],
  [
    'an idempotency key that is none',
    { path: '/v1/keys', json: { name: 'a', role: 'sales' }, headers: { 'idempotency-key': 'a b' } },
    400,
    'invalid_argument',
  ],
];

describe('bad input gets a clear problem', () => {
  test.each(TABLE)('%s', async (_what, call, status, code) => {
    const answer = await bed.call(call);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    const problem = answer.problem();
    expect([answer.status, problem.code]).toEqual([status, code]);
    expect(problem).toMatchObject({ status, type: `/docs/problems/${code}` });
    expect(problem.request_id).toBe(answer.headers.get('x-request-id'));
    // Where we keep things, and how our code is laid out, is nobody's business.
    expect(answer.text).not.toContain(bed.root);
    expect(answer.text).not.toMatch(/node_modules|\.ts:|at \w+ \(/);
  });

  test('a suggestion is made where a name was nearly right', async () => {
    expect((await bed.call({ path: '/v1/schemas/install.creatd' })).problem().detail).toContain(
      'install.created',
    );
    expect(
      (await bed.call({ path: '/v1/catalog', json: { action: 'chek', source: 'a' } })).problem().detail,
    ).toContain('check');
  });

  test('405 names what the path takes, and 415 what the body may be', async () => {
    const method = await bed.call({ method: 'PATCH', path: '/v1/runs' });
    expect(method.headers.get('allow')).toBe('POST, GET, HEAD');
    const type = await bed.call({ path: '/v1/files?name=a.ndjson', body: 'x', type: 'text/csv' });
    expect(type.problem().details).toEqual({ accepted: ['application/octet-stream'] });
  });

  test('every operation with an id in its path survives ids that are hostile', async () => {
    const hostile = [
      "a'; drop table runs; --",
      '../../etc/passwd',
      '%',
      'x'.repeat(3000),
      '\u0000',
      '{{7*7}}',
      '🦆',
    ];
    for (const operation of operations.filter(({ path }) => path.includes('{'))) {
      for (const id of hostile) {
        const path = operation.path.replaceAll(/\{\w+\}/g, encodeURIComponent(id));
        const [type = 'application/json'] = operation.rawBody?.mediaTypes ?? [];
        const hasBody = operation.body !== undefined || operation.rawBody !== undefined;
        const answer = await bed.call({
          method: operation.method.toUpperCase(),
          path,
          ...(hasBody ? { body: '{}', type } : {}),
        });
        expect([operation.path, id, answer.status >= 400 && answer.status < 500]).toEqual([
          operation.path,
          id,
          true,
        ]);
      }
    }
  });
});

/** A request as node sends it: chunked, so that nobody knows its length beforehand. */
function postChunked(
  path: string,
  pieces: readonly string[],
  type: string,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      new URL(path, server.url),
      {
        method: 'POST',
        headers: { authorization: `Bearer ${bed.runtime.services.localToken}`, 'content-type': type },
      },
      (response) => {
        const received: Buffer[] = [];
        response.on('data', (piece: Buffer) => received.push(piece));
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(received).toString('utf8') });
        });
      },
    );
    sent.on('error', reject);
    for (const piece of pieces) sent.write(piece);
    sent.end();
  });
}

/** Bytes as they are, to see what is said to those who do not speak HTTP. */
function sendBytes(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { port, hostname } = new URL(server.url);
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    let received = '';
    socket.on('data', (piece: Buffer) => {
      received += piece.toString('latin1');
      if (received.includes('\r\n\r\n')) socket.end();
    });
    socket.on('close', () => {
      resolve(received);
    });
    socket.on('error', reject);
  });
}

describe('over the network', () => {
  test('a body of unknown length is cut off at the limit', async () => {
    const { status, text } = await postChunked(
      '/v1/events',
      Array<string>(8).fill('x'.repeat(1000)),
      'application/json',
    );
    expect(status).toBe(413);
    expect(text).toContain('body_too_large');
  });

  test('a body of unknown length within the limit is read whole', async () => {
    const { status, text } = await postChunked('/v1/events', ['{"a"', ':1}'], 'application/json');
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ accepted: 0, quarantined: 1 });
  });

  test('bytes that are no HTTP, and headers without end, are turned away', async () => {
    expect(await sendBytes('hello\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await sendBytes(`GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(80_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    );
    expect(await sendBytes('GET /healthz HTTP/1.1\r\nhost: a b\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    const { status } = await fetch(`${server.url}/healthz`);
    expect(status).toBe(200);
  });
});
