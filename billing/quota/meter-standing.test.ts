import { expect, test } from 'vitest';
import { parseDecimal } from '../../core/decimal.js';
import { at, between, catalogOf, chose, plan, rate, told, uses } from '../../test/support/rating.js';
import { decide } from './decide.js';
import { standingsOf } from './meter-standing.js';

/*
 * Ops and tasks are a plan's, capped at $100.00 together; calls are an add-on's, capped at $40.00. Nothing is included and each is
 * a dollar, so that a quantity is what it comes to.
 */
const METER = { name: 'T', unit: 't', stream: 'executions', eventType: 'execution.completed' };
const EACH = { model: 'per_unit', amount: '1.00', currency: 'USD' };
const soft = (amount: string) => ({
  stopPolicy: { default: 'soft', spendCap: { amount, currency: 'USD' } },
});
const catalog = catalogOf({
  meters: {
    tasks: { ...METER, key: 'tasks', aggregation: 'sum' },
    calls: { ...METER, key: 'calls', aggregation: 'sum' },
  },
  plans: { growth: plan({ overage: { ops: EACH, tasks: EACH }, ...soft('100.00') }) },
  addons: {
    extra: {
      ...{ name: 'Extra', kind: 'services', price: { amount: '1', currency: 'USD', interval: 'month' } },
      ...{ overage: { calls: EACH }, ...soft('40.00') },
    },
  },
});
const HELD = [{ productId: 'growth' }, { kind: 'addon' as const, productId: 'extra' }];
const NOW = at('2026-09-20T00:00:00Z');
const EARLY = '2026-08-15T00:00:00Z';
const TODAY = '2026-09-19T00:00:00Z';

/** The highest whole quantity of ops that may still be used, of at most 200; and why no more. */
function roomFor(amounts: Readonly<Record<string, number>>, choices: ReturnType<typeof chose>[] = []) {
  const { questions, usage } = rate(
    catalog,
    [told('started', '2026-08-01T00:00:00Z', HELD)],
    Object.entries(amounts).map(([meterId, amount]) =>
      uses(amount, '2026-09-15T00:00:00Z', { meterId, id: meterId }),
    ),
    between('2026-09-01T00:00:00Z', '2026-10-02T00:00:00Z'),
    undefined,
    choices,
  );
  const open = questions.filter(({ metered }) => metered.start <= NOW && NOW < metered.end);
  const found = standingsOf(open, usage, NOW).meters.find(({ line }) => line.meterId === 'ops');
  if (found === undefined) throw new Error('no standing for ops');
  const ask = (quantity: number) =>
    decide({ is: 'metered', standing: found.standing }, parseDecimal(`${quantity}`), 'none');
  let room = 0;
  while (room < 200 && ask(room + 1).decision !== 'pause') room += 1;
  return `${room}, ${ask(room + 1).reason}`;
}

test.each<[string, Record<string, number>, ReturnType<typeof chose>[], string]>([
  [
    'the plan’s: 100 − 70 of tasks; calls are under the add-on’s',
    { tasks: 70, calls: 60 },
    [],
    '30, spend_cap',
  ],
  [
    'an own one of the meter beside it: the plan’s is passed first',
    { tasks: 70 },
    [chose(5_000n, EARLY, { meterId: 'ops' })],
    '30, spend_cap',
  ],
  ['or after it', { tasks: 70 }, [chose(2_000n, EARLY, { meterId: 'ops' })], '20, spend_cap'],
  [
    'an own one of all: 50 − the 40 that are billed of 60 calls',
    { calls: 60 },
    [chose(5_000n, EARLY)],
    '10, spend_cap',
  ],
  [
    'the one in force now, though a higher one is billed by',
    { ops: 10, tasks: 20 },
    [chose(9_000n, EARLY), chose(5_000n, TODAY)],
    '20, spend_cap',
  ],
  ['the stop in force now', { ops: 10 }, [chose('hard', TODAY)], '0, hard_stop'],
  [
    'what was used of a meter before it was stopped counts against a cap of all',
    { ops: 10, tasks: 20 },
    [chose(5_000n, EARLY), chose('hard', TODAY, { meterId: 'tasks' })],
    '20, spend_cap',
  ],
])('up to %s', (_, amounts, choices, room) => {
  expect(roomFor(amounts, choices)).toBe(room);
});
