import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compareText } from '../core/compare.js';
import { keysetSql, type OrderColumn } from './keyset.js';

let instance: DuckDBInstance;
let connection: DuckDBConnection;
beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:');
  connection = await instance.connect();
});
afterAll(() => {
  connection.closeSync();
  instance.closeSync();
});

interface Row {
  readonly score: number;
  readonly id: string;
}
const direction = fc.constantFrom('asc' as const, 'desc' as const);
/** Few scores, so that many rows are equal but for their id. */
const rows = fc.uniqueArray(
  fc.record({ score: fc.integer({ min: -2, max: 2 }), id: fc.stringMatching(/^[a-c]{1,3}$/) }),
  {
    selector: ({ id }) => id,
    maxLength: 20,
  },
);

/** Every page, one after the other, as a list reads them. */
async function readPages(order: readonly OrderColumn[], limit: number): Promise<string[]> {
  const ids: string[] = [];
  let place: string[] | null = null;
  for (;;) {
    const { condition, orderBy, parameters }: ReturnType<typeof keysetSql> = keysetSql(
      'duckdb',
      order,
      place,
    );
    const values = Object.fromEntries(
      Object.entries(parameters).map(([name, value]) => [name, String(value)]),
    );
    const result = await connection.run(
      `select score, id from listed where ${condition} order by ${orderBy} limit ${limit}`,
      values,
    );
    const page = (await result.getRows()).map(([score, id]) => [String(score), String(id)] as const);
    ids.push(...page.map(([, id]) => id));
    const last = page.at(-1);
    if (last === undefined) return ids;
    place = [...last];
  }
}

test('pages of any size hold each row once, in the order asked for', async () => {
  await fc.assert(
    fc.asyncProperty(
      rows,
      fc.integer({ min: 1, max: 7 }),
      direction,
      direction,
      async (given, limit, byScore, byId) => {
        await connection.run('create or replace table listed (score bigint, id varchar)');
        for (const { score, id } of given)
          await connection.run(`insert into listed values (${score}, '${id}')`);
        const order: OrderColumn[] = [
          { column: 'score', type: 'bigint', direction: byScore },
          { column: 'id', type: 'text', direction: byId },
        ];
        const sign = (way: 'asc' | 'desc') => (way === 'asc' ? 1 : -1);
        const expected = [...given].sort(
          (a: Row, b: Row) => sign(byScore) * (a.score - b.score) || sign(byId) * compareText(a.id, b.id),
        );
        expect(await readPages(order, limit)).toEqual(expected.map(({ id }) => id));
      },
    ),
    { numRuns: 40 },
  );
});

test('a place enters the statement as parameters alone', () => {
  const hostile = "' or true --";
  const { condition, orderBy, parameters } = keysetSql(
    'duckdb',
    [
      { column: 'at', type: 'timestamp', direction: 'desc' },
      { column: 'id', type: 'text', direction: 'asc' },
    ],
    [hostile, hostile],
  );
  expect(condition).toBe(
    '((at < cast($place0 as timestamp)) or (at = cast($place0 as timestamp) and id > cast($place1 as varchar)))',
  );
  expect(orderBy).toBe('at desc, id asc');
  expect(parameters).toEqual({ place0: hostile, place1: hostile });
});
