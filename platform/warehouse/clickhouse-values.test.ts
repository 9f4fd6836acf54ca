import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { hasClickHouse, startClickHouse, type ClickHouse } from '../../test/support/clickhouse.js';
import { SecretText } from '../secrets.js';
import { ClickHouseConnection } from './clickhouse-connection.js';
import { clickHouseTarget } from './clickhouse-target.js';

/* Against the real engine behind test/services/clickhouse-shim.ts: what it answers for each type, decoded. */
describe.runIf(hasClickHouse())('values of ClickHouse', () => {
  let clickHouse: ClickHouse;
  let connection: ClickHouseConnection;
  beforeAll(async () => {
    clickHouse = await startClickHouse();
    const url = new SecretText(clickHouse.url('default'));
    connection = new ClickHouseConnection(clickHouseTarget(url), { url, caFile: null, timeoutMs: 60_000 });
  });
  afterAll(async () => {
    await connection.close();
    await clickHouse.stop();
  });

  const Value = z.object({ v: z.unknown() });
  const valueOf = async (expression: string): Promise<unknown> =>
    (await connection.query(`SELECT ${expression} AS v`, {}, Value))[0]?.v;

  test.each([
    ['toInt64(9007199254740993)', 9007199254740993n],
    ['toUInt64(18446744073709551615)', 18446744073709551615n],
    ["toInt128('-170141183460469231731687303715884105728')", -(2n ** 127n)],
    ['toUInt32(4294967295)', 4294967295],
    ['toInt8(-1)', -1],
    ['toFloat64(0.1)', 0.1],
    ['1 / 0', Infinity],
    ['nan', NaN],
    ['true', true],
    ["toDecimal128('1.5', 12)", '1.500000000000'],
    ["toDecimal64('-0.05', 2)", '-0.05'],
    ["toNullable(toDecimal32('3', 1))", '3.0'],
    ["toDate('2026-01-31')", '2026-01-31'],
    ["toDate32('1925-01-31')", '1925-01-31'],
    ["toDateTime('2026-01-31 10:00:00', 'Asia/Tokyo')", '2026-01-31T01:00:00Z'],
    ["toDateTime64('2026-01-31 10:00:00', 6, 'UTC')", '2026-01-31T10:00:00Z'],
    ["toDateTime64('2026-01-31 10:00:00.25', 3, 'UTC')", '2026-01-31T10:00:00.250000Z'],
    ["toDateTime64('1900-01-01 00:00:00.000001', 6, 'UTC')", '1900-01-01T00:00:00.000001Z'],
    ["toDateTime64('2299-12-31 23:59:59.999999', 6, 'UTC')", '2299-12-31T23:59:59.999999Z'],
    ['NULL', null],
    ['CAST(NULL AS Nullable(Int64))', null],
    ["toLowCardinality('x')", 'x'],
    ['CAST(NULL AS LowCardinality(Nullable(String)))', null],
    ["CAST('b' AS Enum8('a' = 1, 'b' = 2))", 'b'],
    ["toUUID('192b8ca6-ca24-4e71-ade3-4fdbc73241a5')", '192b8ca6-ca24-4e71-ade3-4fdbc73241a5'],
    ['[toInt64(1), NULL]', [1n, null]],
    ["map('a', toUInt64(1))", [['a', 1n]]],
    ["(toInt64(1), 'x')", [1n, 'x']],
    [
      "CAST((1, '2026-01-31 10:00:00') AS Tuple(n Int64, `at, (UTC)` DateTime64(6, 'UTC')))",
      { n: 1n, 'at, (UTC)': '2026-01-31T10:00:00Z' },
    ],
    ["[(toInt64(1), [toDecimal64('1', 2)])]", [[1n, ['1.00']]]],
    ["'tab\\t, line\\n, \\\\, \\'quote\\', é😀'", "tab\t, line\n, \\, 'quote', é😀"],
  ])('%s', async (expression, value) => {
    expect(await valueOf(expression)).toEqual(value);
  });

  test('any text and any integer comes back as it was bound', async () => {
    const text = fc.string({ unit: 'binary' });
    const integer = fc.bigInt({ min: -(2n ** 126n), max: 2n ** 126n });
    const Row = z.object({ text: z.string(), number: z.union([z.bigint(), z.number()]) });
    await fc.assert(
      fc.asyncProperty(text, integer, async (given, number) => {
        const rows = await connection.query(
          'SELECT $given AS text, $number AS number',
          { given, number },
          Row,
        );
        expect(rows).toEqual([{ text: given, number }]);
      }),
      { numRuns: 60 },
    );
  });

  test('a text longer than any URL may be is bound too', async () => {
    const long = 'é'.repeat(1_000_000);
    const rows = await connection.query('SELECT length($long) AS v', { long }, z.object({ v: z.bigint() }));
    expect(rows).toEqual([{ v: 2_000_000n }]);
  });

  test('an error in the middle of a stream is told as one, after the rows before it', async () => {
    let rows = 0;
    const read = async (): Promise<void> => {
      const sql = 'SELECT throwIf(number = 300000) AS v FROM numbers(400000) SETTINGS max_block_size = 10000';
      for await (const batch of connection.stream(sql, {}, Value)) rows += batch.length;
    };
    await expect(read()).rejects.toThrow(/throwIf/);
    expect(rows).toBeLessThan(400_000);
  });
});
