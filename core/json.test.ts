import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJsonExact, plainNumber, splitJsonArray, writeJson } from './json.js';
import { parseJsonStrictly } from './json-parser.js';

const parsed = (text: string): unknown => {
  const result = parseJsonExact(text);
  return result.ok ? result.value : `fault at ${result.at}: ${result.message}`;
};
/** JSON values whose keys and strings have nothing that the exact parser refuses. */
const anyJson = fc.jsonValue({ stringUnit: 'grapheme-ascii', maxDepth: 6 });

describe('numbers', () => {
  test.each([
    ['1', 1],
    ['-0.5', -0.5],
    ['1e3', 1000],
    ['1.0', 1],
    ['0.1', 0.1],
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', '9007199254740992'],
    ['9007199254740993', '9007199254740993'],
    ['-9007199254740993', '-9007199254740993'],
    ['0.1000000000000000055511151231257827', '0.1000000000000000055511151231257827'],
    ['12345678901234567.25', '12345678901234567.25'],
    ['1e21', '1000000000000000000000'],
    ['1.5e-7', 1.5e-7],
  ])('%s is kept to the last digit', (text, expected) => {
    expect(parsed(`{"n":${text}}`)).toEqual({ n: expected });
  });

  test('a number that would need a gigabyte of zeros is a fault and not a null', () => {
    expect(parsed('{"n":1e999999}')).toMatch('fault at 5: the number is too large');
  });

  test.each(['01', '+1', '.5', '1.', '-', '1e', '0x1', 'NaN', 'Infinity'])('%s is not JSON', (text) => {
    expect(parsed(text)).toMatch(/^fault at/);
  });

  test('integers come back as they were written, however long', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), (value) => {
        expect(String(parsed(String(value)))).toBe(String(value));
      }),
    );
  });
});

describe('what the engines would read differently is a fault', () => {
  test('two equal keys in one object, on the fast path too', () => {
    expect(parsed('{"a":1,"b":{"c":2,"c":3}}')).toBe('fault at 18: the key "c" is there twice');
    expect(parsed('{"a" : 1, "\\u0061" : 2}')).toMatch('the key "a" is there twice');
    expect(parsed('[{"a":1},{"a":2}]')).toEqual([{ a: 1 }, { a: 2 }]);
  });

  test('text that looks like a key is no key', () => {
    expect(parsed('{"a":"b\\":1,\\"b\\":2"}')).toEqual({ a: 'b":1,"b":2' });
  });

  test('a NUL and half a surrogate pair, which DuckDB refuses to read back', () => {
    expect(parsed('{"a":"x\\u0000"}')).toMatch('NUL');
    expect(parsed('{"a":"\\ud83d"}')).toMatch('half a surrogate pair');
    expect(parsed('{"a":"\\ud83d\\ude00"}')).toEqual({ a: '😀' });
  });

  test('nesting beyond 64, before any recursion can overflow', () => {
    const nested = (depth: number): string => `${'['.repeat(depth)}1${']'.repeat(depth)}`;
    expect(parsed(nested(64))).toBeInstanceOf(Array);
    expect(parsed(nested(65))).toMatch('nested deeper than 64');
    expect(parsed(nested(200_000))).toMatch('nested deeper than 64');
  });
});

describe('faults say where', () => {
  test.each([
    ['', 'fault at 0: expected a value, but the text ends'],
    ['{"a":1', 'fault at 6: expected "," or "}", but the text ends'],
    ['{"a":1}}', 'fault at 7: expected nothing more, but found "}"'],
    ['{a:1}', 'fault at 1: expected a key in double quotes, but found "a"'],
    ['{"a" 1}', 'fault at 5: expected ":", but found "1"'],
    ['[1,]', 'fault at 3: expected a value, but found "]"'],
    ['"a', 'fault at 0: the text ends inside a string'],
    ['"a\nb"', 'fault at 2: a control character in a string must be escaped'],
    ['"\\x"', 'fault at 1: not an escape that JSON knows'],
    ['nul', 'fault at 0: expected a value, but found "n"'],
    ['\u00a01', 'fault at 0: expected a value, but found "\u00a0"'],
  ])('%j: %s', (text, expected) => {
    expect(parsed(text)).toBe(expected);
  });

  test('the strict parser accepts what JSON.parse accepts, and nothing else', () => {
    const nearJson = fc
      .tuple(anyJson, fc.nat(), fc.constantFrom('', '"', ',', '}', ']', ':', '0', '\\', ' ', 'e'))
      .map(([value, at, noise]) => {
        const text = JSON.stringify(value);
        const place = at % (text.length + 1);
        return text.slice(0, place) + noise + text.slice(place);
      });
    fc.assert(
      fc.property(nearJson, (text) => {
        const strict = parseJsonStrictly(text, 1_000);
        let theirs: unknown;
        try {
          theirs = JSON.parse(text);
        } catch {
          expect(strict.ok).toBe(false);
          return;
        }
        // A long number may come back as text; everything else is the same value.
        if (strict.ok && !/[\d.]{15}|\de/i.test(text)) expect(strict.value).toEqual(theirs);
        if (!strict.ok) expect(strict.message).toMatch(/twice|too large/);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('writing', () => {
  test('what is written reads back as the same value', () => {
    fc.assert(
      fc.property(anyJson, (value) => {
        const once = parsed(writeJson(value));
        expect(parsed(writeJson(once))).toEqual(once);
      }),
    );
  });

  test('numbers are written plainly, since not every reader takes an exponent', () => {
    expect(writeJson({ a: 1e-7, b: [1.5e-10, 3], c: '1e-7', d: undefined })).toBe(
      '{"a":0.0000001,"b":[0.00000000015,3],"c":"1e-7"}',
    );
    expect(plainNumber(-0)).toBe('0');
  });

  test('a key named __proto__ is data like any other', () => {
    const text = '{"__proto__":{"a":12345678901234567890}}';
    expect(writeJson(parsed(text))).toBe('{"__proto__":{"a":"12345678901234567890"}}');
  });
});

describe('splitting a batch', () => {
  const elements = (text: string): unknown => {
    const split = splitJsonArray(text);
    return split.ok
      ? split.elements.map(({ start, end }) => text.slice(start, end))
      : `fault at ${split.at}: ${split.message}`;
  };

  test('each element keeps its own bytes', () => {
    expect(elements(' [ {"a": [1, 2]} ,\n"x,]\\"" , 3 ] ')).toEqual(['{"a": [1, 2]}', '"x,]\\""', '3']);
    expect(elements('[]')).toEqual([]);
    expect(elements(' [ ] ')).toEqual([]);
  });

  test('an element that is no JSON spoils only itself', () => {
    expect(elements('[{"a":1},{a:2},nonsense,{"b":2}]')).toEqual(['{"a":1}', '{a:2}', 'nonsense', '{"b":2}']);
  });

  test('an array that is cut off, or followed by something, is a fault of the whole', () => {
    expect(elements('[{"a":1},{"b"')).toMatch('the array is not closed');
    expect(elements('[{"a":1}')).toMatch('the array is not closed');
    expect(elements('["a')).toMatch('the array is not closed');
    expect(elements('[1] x')).toBe('fault at 4: something follows the array');
    expect(elements('{"a":1}')).toBe('fault at 0: expected "["');
    expect(elements('[1}')).toMatch('the array is not closed');
  });

  test('the elements, parsed, are the array, parsed', () => {
    fc.assert(
      fc.property(fc.array(anyJson), fc.constantFrom(0, 2), (values, indent) => {
        const text = JSON.stringify(values, null, indent);
        const split = splitJsonArray(text);
        expect(
          split.ok && split.elements.map(({ start, end }) => JSON.parse(text.slice(start, end)) as unknown),
        ).toEqual(JSON.parse(text));
      }),
    );
  });
});
