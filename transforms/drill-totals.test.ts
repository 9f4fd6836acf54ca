import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addUpSides } from './drill-totals.js';
import type { DrillRow } from './drill.js';

function row(eventId: string, amount: string, side: DrillRow['side'] = 'value'): DrillRow {
  return {
    side,
    org_id: null,
    stream: 'billing',
    event_source: '/stripe',
    event_id: eventId,
    at: '2026-01-01 00:00:00',
    amount,
    detail: null,
  };
}

function sidesOf(rows: readonly DrillRow[]) {
  const totals = addUpSides();
  for (const each of rows) totals.add(each);
  return totals.sides();
}

const digestOf = (rows: readonly DrillRow[]): string | undefined => sidesOf(rows)['value']?.digest;

test('a single row’s digest is the first half of the SHA-256 of what it says', () => {
  const whole = createHash('sha256').update('["billing","/stripe","evt_1","250"]').digest('hex');
  expect(sidesOf([row('evt_1', '250')])).toEqual({
    value: { sum: '250', rows: 1, digest: whole.slice(0, 32) },
  });
});

test('the order of the rows changes neither sum nor digest', () => {
  const rows = fc.array(fc.tuple(fc.string(), fc.integer()).map(([id, amount]) => row(id, String(amount))));
  const shuffled = rows.chain((all) =>
    fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
  );
  fc.assert(
    fc.property(shuffled, ([all, other]) => {
      expect(sidesOf(other)).toEqual(sidesOf(all));
    }),
  );
});

test('another event, another amount or the same row twice is another digest, though the sum be the same', () => {
  const once = digestOf([row('a', '0')]);
  expect(digestOf([row('b', '0')])).not.toBe(once);
  expect(digestOf([row('a', '1')])).not.toBe(once);
  expect(digestOf([row('a', '0'), row('a', '0')])).not.toBe(once);
  expect(digestOf([row('a', '1'), row('b', '2')])).not.toBe(digestOf([row('a', '2'), row('b', '1')]));
});

test('one amount written in two ways is one amount', () => {
  expect(digestOf([row('a', '1.50')])).toBe(digestOf([row('a', '1.5')]));
});

test('each side has a digest of its own', () => {
  const { numerator, denominator } = sidesOf([row('a', '1', 'numerator'), row('b', '1', 'denominator')]);
  expect(numerator?.digest).not.toBe(denominator?.digest);
});
