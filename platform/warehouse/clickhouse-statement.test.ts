import { describe, expect, test } from 'vitest';
import { boundStatement, statementsOf } from './clickhouse-statement.js';

describe('parameters', () => {
  test('take the type of what is bound, wide integers one that holds them', () => {
    const { sql, values } = boundStatement('SELECT $text, $whole, $part, $yes, $long, $longer, $text', {
      text: 'x',
      whole: -3,
      part: 0.5,
      yes: true,
      long: (1n << 63n) - 1n,
      longer: 1n << 63n,
    });
    expect(sql).toBe(
      'SELECT {text:String}, {whole:Int64}, {part:Float64}, {yes:Bool}, {long:Int64}, {longer:Int128}, {text:String}',
    );
    expect(values).toEqual({
      text: 'x',
      whole: '-3',
      part: '0.5',
      yes: true,
      long: '9223372036854775807',
      longer: '9223372036854775808',
    });
  });

  test('NULL is written out, for it has no type of its own', () => {
    expect(boundStatement('SELECT $nothing', { nothing: null })).toEqual({ sql: 'SELECT NULL', values: {} });
  });

  test.each([
    `SELECT '$a', 'it''s $a', 'a\\'$a'`,
    'SELECT "$a", `$a`',
    'SELECT 1 -- $a\n, 2 /* $a */',
    'SELECT $tag$ $a $tag$',
    'SELECT word$a FROM t',
  ])('%s has none: nothing is looked for in quotes, comments and names', (sql) => {
    expect(boundStatement(sql, {})).toEqual({ sql, values: {} });
  });

  test('one that is not given is an error, not an empty value', () => {
    expect(() => boundStatement('SELECT $a', {})).toThrow('$a is not given');
  });
});

test.each([
  ['SELECT 1', ['SELECT 1']],
  ['SELECT 1; ', ['SELECT 1']],
  [`SELECT ';' ; -- done;\n`, [`SELECT ';'`]],
  ['SELECT 1; /* ; */ SELECT 2', ['SELECT 1', '/* ; */ SELECT 2']],
  ['SELECT "a;b", `c;d`, $t$;$t$', ['SELECT "a;b", `c;d`, $t$;$t$']],
  ['-- nothing', []],
  ['', []],
])('%s is cut where the engine would cut it', (text, statements) => {
  expect(statementsOf(text)).toEqual(statements);
});
