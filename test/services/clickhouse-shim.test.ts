import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXACT_JSON, hasClickHouse, startClickHouse, type ClickHouse } from '../support/clickhouse.js';

describe.runIf(hasClickHouse())('ClickHouse over HTTP', () => {
  let clickHouse: ClickHouse;
  beforeAll(async () => {
    clickHouse = await startClickHouse();
  });
  afterAll(() => clickHouse.stop());

  const post = (query: string, body?: Buffer | string, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${clickHouse.port}/?${query}`, {
      method: 'POST',
      headers,
      ...(body === undefined ? {} : { body: new Uint8Array(Buffer.from(body)) }),
    });
  const answerOf = async (query: string, sql: string): Promise<string> =>
    (await (await post(query, sql)).text()).trim();

  test('rows go in and out through the official client, big integers and decimals exactly', async () => {
    const { client } = clickHouse;
    await client.command({
      query: 'create table exact (n Int64, d Decimal(38, 12), t String) engine MergeTree order by n',
    });
    const values = [{ n: '9007199254740993', d: '0.000000000001', t: "it's \\ \n a tab\t" }];
    await client.insert({ table: 'exact', values, format: 'JSONEachRow' });
    const found = await client.query({
      query: 'select * from exact where n = {n:Int64}',
      query_params: { n: '9007199254740993' },
      format: 'JSONEachRow',
      clickhouse_settings: EXACT_JSON,
    });
    expect(await found.json()).toEqual(values);
  });

  test('a setting holds for its call alone', async () => {
    const isNull = 'select toString(sum(number)) from numbers(0)';
    expect(await answerOf('aggregate_functions_null_for_empty=1', isNull)).toBe('\\N');
    expect(await answerOf('', isNull)).toBe('0');
  });

  test('what a session SETs holds for its later calls, and for nobody else', async () => {
    await post(
      'session_id=mine',
      "set aggregate_functions_null_for_empty = 1, session_timezone = 'Asia/Tokyo'",
    );
    const both = 'select toString(sum(number)), timezone() from numbers(0)';
    expect(await answerOf('session_id=mine', both)).toBe('\\N\tAsia/Tokyo');
    expect(await answerOf('session_id=other', both)).not.toContain('Tokyo');
    await post('', 'set aggregate_functions_null_for_empty = 1');
    expect(await answerOf('', 'select toString(sum(number)) from numbers(0)')).toBe('0');
  });

  test('calls at once wait for one another and each gets its own answer', async () => {
    const numbers = Array.from({ length: 20 }, (_, index) => index);
    const answers = await Promise.all(
      numbers.map((n) => answerOf(`param_n=${n}&max_threads=${1 + (n % 2)}`, 'select {n:Int64} * 2')),
    );
    expect(answers).toEqual(numbers.map((n) => String(n * 2)));
  });

  test('a parameter of an earlier call never stands in for one that is missing', async () => {
    expect(await answerOf('param_once=7', 'select {once:Int64}')).toBe('7');
    const response = await post('', 'select {once:Int64}');
    expect([response.status, response.headers.get('x-clickhouse-exception-code')]).toEqual([400, '456']);
  });

  test('gzip goes in and comes out', async () => {
    const response = await post('enable_http_compression=1', gzipSync('select 41 + 1'), {
      'content-encoding': 'gzip',
      'accept-encoding': 'gzip',
    });
    // fetch unpacks by itself; the header says that it had to.
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect((await response.text()).trim()).toBe('42');
  });

  test.each([
    ['a wrong statement', '', 'selct 1', 400, 62],
    ['a table that is not there', '', 'select * from nowhere', 404, 60],
    ['a database that is not there', 'database=nowhere', 'select 1', 404, 81],
    ['a setting that is not there', 'no_such_setting=1', 'select 1', 404, 115],
    ['no statement', '', '', 400, 36],
    ['block compression', 'decompress=1', 'select 1', 400, 36],
  ])('%s is told by status, code and words', async (_what, query, sql, status, code) => {
    const response = await post(query, sql);
    expect([response.status, response.headers.get('x-clickhouse-exception-code')]).toEqual([
      status,
      String(code),
    ]);
    expect(await response.text()).toMatch(/^Code: \d+\. DB::Exception: ./);
    expect(await answerOf('', 'select 1')).toBe('1');
  });

  test('encodings that it does not speak are refused by name', async () => {
    const response = await post('', 'select 1', { 'content-encoding': 'zstd' });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('Content-Encoding zstd');
  });
});
