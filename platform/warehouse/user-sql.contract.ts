import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { UserSql, UserSqlLimits } from './user-sql.js';
import type { SuppliedTable } from './supplied-table.js';
import type { RunLocation } from './warehouse.js';

/**
 * A run whose database has one mart, `mrr_months`, of one row: month 2026-01-01 (a date), close_minor 2^53 + 1, share 0.5 (12 digits),
 * at 2026-01-31 10:00:00.25 (an instant), nothing (a NULL text); and one raw row of billing: id evt_1 at offset 7.
 */
export interface UserSqlUnderTest {
  readonly run: RunLocation;
  open(changes?: Partial<UserSqlLimits>): UserSql;
  dispose(): Promise<void>;
}

/** What the engine's own SQL is needed for. */
export interface UserSqlWords {
  /** Takes far longer than a second. */
  readonly endless: string;
  /** Needs more than 64 MiB at once. */
  readonly greedy: string;
  /** A relation of `count` rows, for a FROM clause. */
  numbers(count: number): string;
  /** Statements that are more than reading, each with its code. */
  readonly refused: readonly (readonly [statement: string, code: 'sql_not_read_only' | 'invalid_sql'])[];
}

const LIMITS: UserSqlLimits = { timeoutMs: 20_000, memoryMib: 256, maxRows: 1000, concurrent: 2 };

export const withLimits = (changes: Partial<UserSqlLimits> = {}): UserSqlLimits => ({
  ...LIMITS,
  ...changes,
});

/** What holds for SQL that people send, whichever engine runs it. */
export function userSqlContract(
  name: string,
  words: UserSqlWords,
  make: () => Promise<UserSqlUnderTest>,
): void {
  describe(`SQL of people on ${name}`, () => {
    let subject: UserSqlUnderTest;
    let userSql: UserSql;
    beforeAll(async () => {
      subject = await make();
      userSql = subject.open();
    });
    afterAll(() => subject.dispose());

    test('marts answer, big integers and decimals whole, dates as dates, instants in UTC', async () => {
      const result = await userSql.query(subject.run, 'SELECT * FROM mrr_months; -- with a comment behind');
      expect(result.columns.map((column) => column.name)).toEqual([
        'month',
        'close_minor',
        'share',
        'at',
        'nothing',
      ]);
      expect(result.rows).toEqual([
        ['2026-01-01', 9007199254740993n, '0.500000000000', '2026-01-31T10:00:00.250000Z', null],
      ]);
    });

    test('raw tables answer beside the marts, and without any run', async () => {
      const joined = 'SELECT id, log_offset, close_minor FROM raw_billing, mrr_months';
      expect((await userSql.query(subject.run, joined)).rows).toEqual([['evt_1', 7n, 9007199254740993n]]);
      expect((await userSql.query(null, 'SELECT id FROM raw_billing')).rows).toEqual([['evt_1']]);
      expect((await userSql.query(null, 'SELECT count(*) FROM raw_crm')).rows).toEqual([[0n]]);
    });

    test.each(words.refused)('%s is refused', async (statement, code) => {
      const asked = [userSql.query(subject.run, statement), userSql.parquet(subject.run, statement)];
      for (const outcome of await Promise.allSettled(asked)) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code, retryable: false } });
      }
      expect((await userSql.query(subject.run, 'SELECT count(*) FROM mrr_months')).rows).toEqual([[1n]]);
    });

    test.each([
      ['SELECT 1; SELECT 2', 'invalid_sql'],
      ['SELECT 1; DELETE FROM mrr_months', 'invalid_sql'],
      ['SELEC 1', 'invalid_sql'],
      ['SELECT * FROM no_such_table', 'invalid_sql'],
      ['SELECT no_such_column FROM mrr_months', 'invalid_sql'],
      ['', 'invalid_sql'],
      [' ; -- nothing', 'invalid_sql'],
    ])('%s is refused as it is written', async (statement, code) => {
      await expect(userSql.query(subject.run, statement)).rejects.toMatchObject({ code, retryable: false });
    });

    test('a statement that takes too long is stopped, and the next one runs', async () => {
      const impatient = subject.open({ timeoutMs: 500 });
      await expect(impatient.query(subject.run, words.endless)).rejects.toMatchObject({
        code: 'query_timeout',
      });
      expect((await userSql.query(subject.run, 'SELECT 1')).rows).toEqual([[1]]);
    });

    test('a statement that needs more memory than it may have ends with an error, not with the process', async () => {
      const small = subject.open({ memoryMib: 64 });
      await expect(small.query(subject.run, words.greedy)).rejects.toMatchObject({
        code: 'result_too_large',
      });
      expect((await small.query(subject.run, 'SELECT 1')).rows).toEqual([[1]]);
    });

    test('more rows than allowed are refused rather than cut', async () => {
      const tooMany = `SELECT * FROM ${words.numbers(1001)}`;
      for (const ask of ['query', 'parquet'] as const) {
        await expect(userSql[ask](subject.run, tooMany)).rejects.toMatchObject({ code: 'result_too_large' });
      }
      const { rows } = await userSql.query(subject.run, `SELECT * FROM ${words.numbers(1000)}`);
      expect(rows).toHaveLength(1000);
    });

    test('parquet comes back as a whole file', async () => {
      const bytes = Buffer.from(
        await userSql.parquet(subject.run, `SELECT 'it''s' AS text FROM mrr_months;`),
      );
      expect([bytes.subarray(0, 4).toString(), bytes.subarray(-4).toString()]).toEqual(['PAR1', 'PAR1']);
    });

    test('with as many queries running as allowed, one more is told to come back', async () => {
      const one = subject.open({ concurrent: 1 });
      const first = one.query(subject.run, 'SELECT 1');
      await expect(one.query(subject.run, 'SELECT 2')).rejects.toMatchObject({
        code: 'unavailable',
        retryable: true,
      });
      expect((await first).rows).toEqual([[1]]);
    });

    test('supplied tables answer beside the marts, exact, also as Parquet, and are gone with the statement', async () => {
      const bills: SuppliedTable = {
        name: 'ledger_things',
        columns: {
          ...{ id: 'text', place: 'integer', minor: 'bigint', used: 'decimal' },
          ...{ month: 'date', at: 'instant', is_open: 'boolean' },
        },
        rows: [
          [
            'it"s, \\ a',
            '7',
            '-9007199254740993',
            '12345678901234567890.5',
            '2026-01-01',
            '2026-01-31T10:00:00.25Z',
            true,
          ],
          [null, null, null, null, null, null, null],
        ],
      };
      const statement = 'SELECT l.* FROM ledger_things l, mrr_months ORDER BY place NULLS LAST';
      const { columns, rows } = await userSql.query(subject.run, statement, () => Promise.resolve([bills]));
      expect(columns.map(({ name: column }) => column)).toEqual(Object.keys(bills.columns));
      expect(rows).toEqual([
        [
          ...['it"s, \\ a', 7, -9007199254740993n, '12345678901234567890.500000000000'],
          ...['2026-01-01', '2026-01-31T10:00:00.250000Z', true],
        ],
        [null, null, null, null, null, null, null],
      ]);
      const bytes = Buffer.from(
        await userSql.parquet(subject.run, statement, () => Promise.resolve([bills])),
      );
      expect(bytes.subarray(0, 4).toString()).toBe('PAR1');
      const empty = { ...bills, rows: [] };
      const counted = 'SELECT count(*) FROM ledger_things';
      expect((await userSql.query(null, counted, () => Promise.resolve([empty]))).rows).toEqual([[0n]]);
      await expect(userSql.query(subject.run, counted)).rejects.toMatchObject({ code: 'invalid_sql' });
    });

    test('a run whose marts are gone is named', async () => {
      const gone = { runId: 'run_9', location: `${subject.run.location}9` };
      await expect(userSql.query(gone, 'SELECT 1')).rejects.toMatchObject({ code: 'run_not_found' });
    });
  });
}
