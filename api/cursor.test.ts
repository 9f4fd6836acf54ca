import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { openCursor, sealCursor } from './cursor.js';

const Place = z.array(z.string().nullable());

test('a place comes back as it was, whatever text it holds', () => {
  fc.assert(
    fc.property(fc.string(), fc.array(fc.option(fc.string({ unit: 'binary' }))), (list, place) => {
      expect(openCursor(list, sealCursor(list, place), Place)).toEqual(place);
    }),
  );
});

test('a cursor is text that a URL carries without escapes', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (place) => {
      expect(sealCursor('list', place)).toMatch(/^[A-Za-z0-9_.-]+$/);
    }),
  );
});

test('any other text, and any other list, is refused', () => {
  const cursor = sealCursor('leads', ['run_1', '7']);
  const open = (list: string, text: string) => () => openCursor(list, text, Place);
  expect(open('orgs', cursor)).toThrow(expect.objectContaining({ code: 'invalid_cursor' }));
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(text !== cursor);
      expect(open('leads', text)).toThrow(expect.objectContaining({ code: 'invalid_cursor' }));
    }),
  );
});

test('a place of another shape is refused, though its check holds', () => {
  const cursor = sealCursor('leads', ['one']);
  expect(() => openCursor('leads', cursor, z.tuple([z.string(), z.string()]))).toThrow(
    expect.objectContaining({ code: 'invalid_cursor' }),
  );
});
