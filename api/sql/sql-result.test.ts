import fc from 'fast-check';
import { parse } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import { csvOf, objectsOf } from './sql-result.js';

const columns = (...names: string[]) => names.map((name) => ({ name, type: 'VARCHAR' }));

test('columns of one name keep all their values, each under a name of its own', () => {
  const { columns: named, rows } = objectsOf({
    columns: columns('a', 'a', 'a_2', 'a'),
    rows: [[1, 2, 3, 4]],
  });
  // The second "a" takes a_2, so that the one called a_2 has to give way.
  expect(named.map(({ name }) => name)).toEqual(['a', 'a_2', 'a_2_2', 'a_3']);
  expect(rows).toEqual([{ a: 1, a_2: 2, a_2_2: 3, a_3: 4 }]);
});

test('whole numbers are numbers as long as a double holds them, else digits; inside lists and structs too', () => {
  const { rows } = objectsOf({
    columns: columns('a', 'b', 'c', 'd'),
    rows: [[2n ** 53n - 1n, 2n ** 53n, [2n ** 63n], { deep: -(2n ** 53n) }]],
  });
  expect(rows).toEqual([
    {
      a: 9007199254740991,
      b: '9007199254740992',
      c: ['9223372036854775808'],
      d: { deep: '-9007199254740992' },
    },
  ]);
});

test('what JSON has no number for is text', () => {
  const { rows } = objectsOf({ columns: columns('a', 'b'), rows: [[Number.NaN, Number.NEGATIVE_INFINITY]] });
  expect(rows).toEqual([{ a: 'NaN', b: '-Infinity' }]);
});

test('CSV comes back from a CSV reader as it went in, whatever the text', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1 }).filter((one) => !one.includes('\0'));
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { minLength: 1 }), (rows) => {
      const read: unknown = parse(csvOf({ columns: columns('x', 'y,"z'), rows }), {
        recordDelimiter: '\r\n',
      });
      expect(read).toEqual([['x', 'y,"z'], ...rows]);
    }),
  );
});

test('in CSV NULL is nothing and an empty text is quoted', () => {
  expect(csvOf({ columns: columns('a', 'b'), rows: [[null, '']] })).toBe('a,b\r\n,""\r\n');
});
