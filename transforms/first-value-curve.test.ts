import { readFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import nunjucks from 'nunjucks';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { packagePath } from '../platform/package-path.js';

/** One clock of a history: when it stopped, and why. */
interface Clock {
  readonly seconds: number;
  readonly outcome: 'reached' | 'competing' | 'censored';
}

const CurveRow = z.object({
  package_id: z.string(),
  seconds: z.bigint(),
  at_risk: z.bigint(),
  reached: z.bigint(),
  competing: z.bigint(),
  survival_ppm: z.bigint(),
  incidence_ppm: z.bigint(),
  is_half_reached: z.boolean(),
  is_three_quarters_reached: z.boolean(),
});
type CurveRow = z.output<typeof CurveRow>;

/** The model itself, rendered without dbt: its macros, then its text. */
function curveSql(): string {
  const texts = [
    ['transforms', 'macros', 'portable.sql'],
    ['transforms', 'macros', 'first_value.sql'],
    ['transforms', 'models', 'marts', 'first_value_curve.sql'],
  ].map((path) => readFileSync(packagePath(...path), 'utf8'));
  const environment = new nunjucks.Environment(null, { autoescape: false, throwOnUndefined: true });
  return environment.renderString(texts.join('\n'), {
    target: { type: 'duckdb' },
    ref: (name: string) => name,
  });
}

/** Curves of many histories in one query, each as a package of its own. */
async function curvesOf(histories: readonly (readonly Clock[])[]): Promise<CurveRow[][]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    await connection.run(
      `create table int_value_clocks (package_id varchar, plan_id varchar, channel varchar, install_month date, outcome varchar, seconds bigint)`,
    );
    const values = histories.flatMap((clocks, index) =>
      clocks.map(
        ({ seconds, outcome }) => `('${index}', 'pro', 'seo', date '2026-01-01', '${outcome}', ${seconds})`,
      ),
    );
    await connection.run(`insert into int_value_clocks values ${values.join(', ')}`);
    const result = await connection.runAndReadAll(
      `select * from (${curveSql()}) where package_id <> 'all' and plan_id = 'all' and channel = 'all' and install_month = 'all'
       order by seconds`,
    );
    const rows = z.array(CurveRow).parse(result.getRowObjects());
    return histories.map((_, index) => rows.filter((row) => row.package_id === String(index)));
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** The same estimate in exact fractions over one common denominator, step by step as the textbook writes it. */
function exactCurve(clocks: readonly Clock[], packageId: string): CurveRow[] {
  let survival = { over: 1n, under: 1n };
  let incidence = { over: 0n, under: 1n };
  const rows: CurveRow[] = [];
  for (const seconds of [...new Set(clocks.map((clock) => clock.seconds))].sort((a, b) => a - b)) {
    const count = (outcome: Clock['outcome']) =>
      BigInt(clocks.filter((clock) => clock.seconds === seconds && clock.outcome === outcome).length);
    const atRisk = BigInt(clocks.filter((clock) => clock.seconds >= seconds).length);
    const [reached, competing] = [count('reached'), count('competing')];
    if (reached + competing === 0n) continue;
    const under = survival.under * atRisk;
    incidence = {
      over: incidence.over * under + survival.over * reached * incidence.under,
      under: incidence.under * under,
    };
    survival = { over: survival.over * (atRisk - reached - competing), under };
    rows.push({
      package_id: packageId,
      seconds: BigInt(seconds),
      at_risk: atRisk,
      reached,
      competing,
      survival_ppm: toPpm(survival),
      incidence_ppm: toPpm(incidence),
      is_half_reached: incidence.over * 2n >= incidence.under,
      is_three_quarters_reached: incidence.over * 4n >= incidence.under * 3n,
    });
  }
  return rows;
}

/** Half away from zero. */
function toPpm({ over, under }: { over: bigint; under: bigint }): bigint {
  return (over * 2_000_000n + under) / (under * 2n);
}

const anyClock = fc.record({
  // Few instants, so that values, uninstalls and censorings meet at one.
  seconds: fc.nat({ max: 12 }),
  outcome: fc.constantFrom('reached', 'competing', 'censored'),
});

test('the curve equals exact fractions, whatever meets at one instant', async () => {
  const histories = fc.sample(fc.array(anyClock, { minLength: 1, maxLength: 40 }), {
    numRuns: 300,
    seed: 20,
  });
  const curves = await curvesOf(histories);
  histories.forEach((history, index) => {
    expect(curves[index]).toEqual(exactCurve(history, String(index)));
  });
});

test('without uninstalls the incidence is what Kaplan and Meier leave of one', async () => {
  const histories = fc.sample(
    fc.array(
      anyClock.filter(({ outcome }) => outcome !== 'competing'),
      { minLength: 1, maxLength: 40 },
    ),
    { numRuns: 100, seed: 21 },
  );
  for (const { survival_ppm, incidence_ppm } of (await curvesOf(histories)).flat()) {
    // Both are rounded half up, so together they may exceed one by a millionth.
    expect([1_000_000n, 1_000_001n]).toContain(survival_ppm + incidence_ppm);
  }
});

test('a share that lies exactly on half a millionth is rounded up, not where a logarithm falls', async () => {
  // 128 installs, one value a second: survival runs through 127/128 = 992,187.5 ppm, 126/128 = 984,375, 125/128 = 976,562.5 …
  const history = Array.from({ length: 128 }, (_, index) => ({
    seconds: index,
    outcome: 'reached' as const,
  }));
  const [curve] = await curvesOf([history]);
  expect(curve?.slice(0, 3).map(({ survival_ppm }) => survival_ppm)).toEqual([992_188n, 984_375n, 976_563n]);
  expect(curve).toEqual(exactCurve(history, '0'));
});

test('a median is reached at the very install that makes it half', async () => {
  // 3 of 6 after 30 s: the logarithms of 1/2 are not exact, the curve must still be there.
  const history = [10, 20, 30, 40, 50, 60].map((seconds) => ({ seconds, outcome: 'reached' as const }));
  const [curve] = await curvesOf([history]);
  expect(curve?.find(({ is_half_reached }) => is_half_reached)?.seconds).toBe(30n);
});
