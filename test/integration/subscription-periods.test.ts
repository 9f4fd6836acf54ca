import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ingestAnyFile } from '../../ingest/ingest-any-file.js';
import { packagePath } from '../../platform/package-path.js';
import { openCompany, type TestCompany } from '../support/company.js';
import { exportedRows, linesOf } from '../support/mart-rows.js';
import { exportMarts } from '../support/marts-export.js';

/*
 * Real subscription periods through a mapping file, against a plain loop over the rows: a customer's MRR in a month is what its
 * periods that hold the month's first day come to, and a movement is the difference to the month before.
 */
const SHARED = packagePath('..', 'shared', 'data', 'subscription_periods.csv');
const MAPPING = packagePath('fixtures', 'mappings', 'subscription-periods.yaml');
const AS_OF = '2020-01-01T00:00:00Z';

/** Stands in where the shared data is not there: a return, two changes of price, an overlap, one that goes on. */
const LOOK_ALIKE = `subscription_id,customer_id,start_date,end_date,monthly_amount
1,1,2018-11-01,2019-02-01,50
2,1,2019-04-01,2019-06-01,50
3,1,2019-06-01,2019-08-01,75
4,2,2019-01-01,2019-05-01,25
5,2,2019-03-01,2019-09-01,40
6,3,2019-07-01,,65
7,4,2019-10-01,2020-01-01,30
8,5,2019-02-01,2019-03-01,10
`;

interface Period {
  readonly customer: string;
  readonly start: string;
  readonly end: string;
  readonly minor: bigint;
}

function periodsOf(csv: string): Period[] {
  const [, ...rows] = csv.trim().split('\n');
  return rows.map((row) => {
    const [, customer = '', start = '', end = '', amount = ''] = row.split(',');
    return {
      customer: `customer_${customer}`,
      start,
      end: end === '' ? '9999-12-31' : end,
      minor: BigInt(amount) * 100n,
    };
  });
}

function nextMonth(month: string): string {
  const [year = 0, number = 0] = month.split('-').map(Number);
  return number === 12 ? `${year + 1}-01-01` : `${year}-${String(number + 1).padStart(2, '0')}-01`;
}

/** Firsts of months, from the first period's to the last before `AS_OF`. */
function monthsOf(periods: readonly Period[]): string[] {
  const [first = AS_OF] = periods.map(({ start }) => start).sort();
  const months: string[] = [];
  for (let month = first; month < AS_OF.slice(0, 10); month = nextMonth(month)) months.push(month);
  return months;
}

/** `month customer movement difference` for every customer whose MRR is not what it was the month before. */
function movementsByLoop(periods: readonly Period[]): string[] {
  const movements: string[] = [];
  for (const customer of new Set(periods.map((period) => period.customer))) {
    let before = 0n;
    let everPaid = false;
    for (const month of monthsOf(periods)) {
      let now = 0n;
      for (const period of periods) {
        if (period.customer === customer && period.start <= month && month < period.end) now += period.minor;
      }
      if (now !== before)
        movements.push(`${month} ${customer} ${kindOf(before, now, everPaid)} ${now - before}`);
      before = now;
      everPaid ||= now > 0n;
    }
  }
  return movements.sort();
}

function kindOf(before: bigint, now: bigint, everPaid: boolean): string {
  if (before === 0n) return everPaid ? 'reactivation' : 'new';
  if (now === 0n) return 'churn';
  return now > before ? 'expansion' : 'contraction';
}

let company: TestCompany;
let periods: readonly Period[];
let marts: ReadonlyMap<string, string>;

beforeAll(async () => {
  company = await openCompany();
  let file = SHARED;
  if (!existsSync(SHARED)) {
    console.log(`${SHARED} is absent: a small hand-made look-alike stands in`);
    file = join(company.directory, 'subscription_periods.csv');
    await writeFile(file, LOOK_ALIKE);
  }
  periods = periodsOf(await readFile(file, 'utf8'));
  const { services } = company.runtime;
  const report = await ingestAnyFile(file, services.ingest, { mapping: MAPPING }, services.clock());
  const ended = periods.filter(({ end }) => end !== '9999-12-31').length;
  expect(report).toMatchObject({ accepted: periods.length + ended, quarantined: 0 });
  marts = await exportMarts(company, await company.transform(AS_OF));
});
afterAll(() => company.remove());

test('every movement of every customer in every month', () => {
  const nets = new Map<string, bigint>();
  for (const row of exportedRows(marts, 'mrr_movements')) {
    const key = [row['month'], row['org_id'], row['movement']].map(String).join(' ');
    nets.set(key, (nets.get(key) ?? 0n) + BigInt(String(row['amount_minor'])));
  }
  const expected = movementsByLoop(periods);
  expect([...nets].map(([key, amount]) => `${key} ${amount}`).sort()).toEqual(expected);
  expect(expected.length).toBeGreaterThan(10);
});

test("each month's bridge adds those movements up", () => {
  const sums = new Map<string, bigint>();
  for (const movement of movementsByLoop(periods)) {
    const [month = '', , kind = '', amount = '0'] = movement.split(' ');
    const magnitude = BigInt(amount.replace('-', ''));
    sums.set(`${month} ${kind}`, (sums.get(`${month} ${kind}`) ?? 0n) + magnitude);
  }
  const expected = monthsOf(periods).map((month) => ({
    month,
    ...Object.fromEntries(
      ['new', 'reactivation', 'expansion', 'contraction', 'churn'].map((kind) => [
        `${kind}_minor`,
        sums.get(`${month} ${kind}`) ?? 0n,
      ]),
    ),
  }));
  const columns = [
    'month',
    'new_minor',
    'reactivation_minor',
    'expansion_minor',
    'contraction_minor',
    'churn_minor',
  ];
  const total = exportedRows(marts, 'mrr_months').filter(
    (row) => row['dimension'] === 'all' && row['currency'] === 'USD',
  );
  expect(linesOf(total, columns)).toEqual(linesOf(expected, columns));
});
