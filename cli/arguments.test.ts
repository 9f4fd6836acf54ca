import { expect, test } from 'vitest';
import {
  countArgument,
  dayArgument,
  instantArgument,
  monthArgument,
  pairArgument,
  portArgument,
  scopeArgument,
  statementArgument,
  wholeNumberArgument,
} from './arguments.js';

test('a day stands for its midnight in UTC, and an instant for itself', () => {
  expect(instantArgument('2020-01-01')).toBe('2020-01-01T00:00:00Z');
  expect(instantArgument('2020-01-01T12:00:00+02:00')).toBe('2020-01-01T12:00:00+02:00');
});

test.each(['', 'yesterday', '2020-13-01', '2020-02-30', '2020-01-01T00:00:00', '2020-01'])(
  'the instant "%s" is refused before anything is opened',
  (text) => {
    expect(() => instantArgument(text)).toThrow('Write');
  },
);

test('a month may be pasted as its first day', () => {
  expect(monthArgument('2026-09')).toBe('2026-09');
  expect(monthArgument('2026-09-01')).toBe('2026-09');
  expect(() => monthArgument('2026-09-02')).toThrow('2026-09');
  expect(() => monthArgument('2026-13')).toThrow('2026-09');
});

test('days, counts and ports are what they are or refused', () => {
  expect(dayArgument('2026-02-28')).toBe('2026-02-28');
  expect(() => dayArgument('2026-02-30')).toThrow('Write a day');
  expect(countArgument('7')).toBe(7);
  for (const text of ['0', '-1', '1.5', '1e3', '']) expect(() => countArgument(text)).toThrow('whole number');
  expect(wholeNumberArgument('-5')).toBe(-5);
  for (const text of ['1.5', '', 'a', '1e3']) expect(() => wholeNumberArgument(text)).toThrow('whole number');
  expect(portArgument('0')).toBe('0');
  expect(() => portArgument('65536')).toThrow('port');
});

test('pairs gather, a later one of the same name wins, and a value may hold an equals sign', () => {
  expect(pairArgument('b=x=y', pairArgument('a=1'))).toEqual({ a: '1', b: 'x=y' });
  expect(pairArgument('a=2', { a: '1' })).toEqual({ a: '2' });
  for (const text of ['plan', '=growth', '']) expect(() => pairArgument(text)).toThrow('name=value');
});

test('scopes gather, one that is none is refused with those there are, and an empty statement is none', () => {
  expect(scopeArgument('partner:p_1', scopeArgument('ingest'))).toEqual(['ingest', 'partner:p_1']);
  expect(() => scopeArgument('nope')).toThrow('Scopes are ingest, quarantine, metrics:read');
  expect(statementArgument('select 1')).toBe('select 1');
  for (const text of ['', ' \n']) expect(() => statementArgument(text)).toThrow('one SELECT');
});
