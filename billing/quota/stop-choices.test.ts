import { expect, test } from 'vitest';
import { between, chose } from '../../test/support/rating.js';
import { choicesInOf } from './stop-choices.js';

const SEPTEMBER = between('2026-09-01T00:00:00Z', '2026-10-01T00:00:00Z');
const OPS = { meterId: 'ops' };

/** What was in force for `ops`, as `stop, cap of the meter, cap of all`. */
function inForce(...choices: ReturnType<typeof chose>[]): string[] {
  return choicesInOf(choices)('org_1', 'ops', SEPTEMBER).map(({ stop, meterCap, wholeCap }) =>
    [stop ?? 'default', meterCap?.amountMinor ?? '-', wholeCap?.amountMinor ?? '-'].join(' '),
  );
}

test.each<[string, ReturnType<typeof chose>[], string[]]>([
  ['nothing was chosen', [], ['default - -']],
  ['what was chosen before', [chose('hard', '2026-08-01T00:00:00Z')], ['hard - -']],
  ['as the period began', [chose('hard', '2026-09-01T00:00:00Z')], ['hard - -']],
  ['an instant later', [chose('hard', '2026-09-01T00:00:00.000001Z')], ['default - -', 'hard - -']],
  ['in its last instant', [chose('hard', '2026-09-30T23:59:59.999999Z')], ['default - -', 'hard - -']],
  ['as it ended', [chose('hard', '2026-10-01T00:00:00Z')], ['default - -']],
  [
    'several, oldest first',
    [
      chose(5n, '2026-08-01T00:00:00Z'),
      chose('hard', '2026-09-02T00:00:00Z'),
      chose('default', '2026-09-03T00:00:00Z'),
    ],
    ['soft - 5', 'hard - -', 'default - -'],
  ],
  [
    'one of the meter decides how it stops, and the cap of all stays',
    [
      chose(9n, '2026-08-01T00:00:00Z'),
      chose(5n, '2026-09-02T00:00:00Z', OPS),
      chose('default', '2026-09-03T00:00:00Z', OPS),
    ],
    ['soft - 9', 'soft 5 9', 'soft - 9'],
  ],
  [
    'others’ are nobody else’s',
    [
      chose('hard', '2026-08-01T00:00:00Z', { meterId: 'tasks' }),
      chose('hard', '2026-08-02T00:00:00Z', { orgId: 'org_2' }),
    ],
    ['default - -'],
  ],
])('in force in a period: %s', (_, choices, expected) => {
  expect(inForce(...choices)).toEqual(expected);
});
