import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PAGE_MACROS } from './page-macros.js';

let instance: DuckDBInstance;
let connection: DuckDBConnection;
beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:');
  connection = await instance.connect();
  for (const macro of PAGE_MACROS) await connection.run(macro);
});
afterAll(() => {
  connection.closeSync();
  instance.closeSync();
});

const valueOf = async (expression: string): Promise<unknown> =>
  (await connection.runAndReadAll(`select ${expression}`)).getRowsJS()[0]?.[0];

test.each([
  ["major(12345, 'USD')", 123.45],
  ["major(12345, 'reporting:EUR')", 123.45],
  ["major(12345, 'JPY')", 12345],
  ["major(12345, 'KWD')", 12.345],
  ["major(-1, 'USD')", -0.01],
])('%s is an amount in its own unit', async (expression, expected) => {
  expect(await valueOf(expression)).toBe(expected);
});

test.each([
  ["shown(123456789, 'minor', 'USD')", '1,234,567.89 USD'],
  ["shown(-5, 'minor', 'reporting:USD')", '-0.05 USD'],
  ["shown(500, 'minor', null)", '5.00'],
  ["shown(1234567, 'minor', 'JPY')", '1,234,567 JPY'],
  ["shown(1234567, 'minor', 'KWD')", '1,234.567 KWD'],
  ["shown(12345, 'minor', 'CLF')", '1.2345 CLF'],
  ["shown(875306, 'ppm', null)", '87.5%'],
  ["shown(2255000, kind_of('attach_rate', 'ppm'), null)", '2.26'],
  ["shown(1124846, kind_of('nrr_t12', 'ppm'), null)", '112.5%'],
  ["shown(2500, 'ppm', null)", '0.3%'],
  ["shown(12345600, 'ppm', null)", '1,234.6%'],
  ["shown(12000000, kind_of('payback_months', 'ppm'), null)", '12 months'],
  ["shown(100000000, 'months', null)", '100 months'],
  ["shown(1000000, 'months', null)", '1 month'],
  ["shown(-2500000, 'months', null)", '-2.5 months'],
  ["shown(-1000000, 'months', null)", '-1 month'],
  ["shown(-40000, 'months', null)", '0 months'],
  ["shown(-400, 'ppm', null)", '0.0%'],
  ["shown(-4000, 'per one', null)", '0.00'],
  ["shown(-10, 'micros', 'none')", '0.0000'],
  ["shown(1200, 'days', null)", '1,200 days'],
  ["shown(1, 'days', null)", '1 day'],
  ["shown(200, 'milliseconds', null)", '200 ms'],
  ["shown(0, 'minor', 'none')", '0.00'],
  ["sign_of('near') || sign_of('gte') || sign_of('lte')", '≈≥≤'],
  ["shown(-2500, 'ppm', null)", '-0.3%'],
  ["shown(-1, 'seconds', null)", '-1 s'],
  ["shown(-82760, 'seconds', null)", '-22 h 59 min'],
  ["shown(59, 'seconds', null)", '59 s'],
  ["shown(842, 'seconds', null)", '14 min 2 s'],
  ["shown(24650, 'seconds', null)", '6 h 50 min'],
  ["shown(172800, 'seconds', null)", '2 days'],
  ["shown(5.7 * 60, 'seconds', null)", '5 min 42 s'],
  ["shown(1234567, 'count', null)", '1,234,567'],
  ["shown(1500000, 'micros', 'USD')", '1.5000 USD'],
  ["quantity('12369.000000000000')", '12,369'],
  ["quantity('-1234567.250000000000')", '-1,234,567.25'],
  ["quantity('-0.250000000000')", '-0.25'],
  ["quantity('12345678901234567890123456')", '12,345,678,901,234,567,890,123,456'],
  ["quantity('0.500000000000')", '0.5'],
  ["quantity('1000')", '1,000'],
  ['quantity(null)', null],
  [
    "rows_at('commission', place('line_id', 'a b&c=d') || place('month', date '2026-05-01'))",
    '/dashboards/rows/commission?line_id=a%20b%26c%3Dd&month=2026-05-01',
  ],
  ["shown(null, 'minor', 'USD')", '–'],
])('%s is as people read it', async (expression, expected) => {
  expect(await valueOf(expression)).toBe(expected);
});
