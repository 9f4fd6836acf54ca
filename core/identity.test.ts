import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, canonicalJsonOfText } from './canonical-json.js';
import { canonicalContent, contentDigest, identityHash, identityKey, rawHash } from './identity.js';
import { writeJson } from './json.js';

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const anyJson = fc.jsonValue({ stringUnit: 'grapheme-ascii', maxDepth: 4 });

const content = (data: string, changes: object = {}) => ({
  type: 'usage.recorded',
  subject: 'org_1',
  timeMicros: 1_000_000n,
  data,
  ...changes,
});

describe('canonical JSON', () => {
  test('keys are sorted by code unit, at every depth, and spaces are gone', () => {
    expect(canonicalJsonOfText('{ "b": {"d":1, "c":2}, "a": [ {"z":0,"y":0} ], "B": 0, "ä": 0 }')).toBe(
      '{"B":0,"a":[{"y":0,"z":0}],"b":{"c":2,"d":1},"ä":0}',
    );
  });

  test.each([
    ['1.0', '1'],
    ['1e2', '100'],
    ['-0', '0'],
    ['0.10', '0.1'],
    ['"1"', '"1"'],
    ['12345678901234567890', '"12345678901234567890"'],
  ])('%s is %s', (text, expected) => {
    expect(canonicalJsonOfText(text)).toBe(expected);
  });

  test('a text is not the number that it shows', () => {
    expect(canonicalJsonOfText('{"a":"1.0"}')).not.toBe(canonicalJsonOfText('{"a":1}'));
  });

  test('order of keys and spaces never matter, the order of a list does', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), anyJson), (value) => {
        const backwards = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(backwards)).toBe(canonicalJson(value));
        expect(canonicalJsonOfText(JSON.stringify(value, null, 2))).toBe(
          canonicalJsonOfText(writeJson(value)),
        );
      }),
    );
    expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
  });

  test('a text that is no JSON stands for itself, so that no check of content can fail', () => {
    expect(canonicalJsonOfText('{"a":1,"a":2}')).not.toBe(canonicalJsonOfText('{"a":2}'));
    expect(canonicalJsonOfText('{')).toBe('not json:{');
  });
});

describe('identity', () => {
  test('source and id can not run into each other', () => {
    expect(identityKey('a', 'b')).toBe('a\nb');
    expect(identityHash(md5, 'ab', 'c')).not.toBe(identityHash(md5, 'a', 'bc'));
    // md5 of the three bytes 61 0a 62, as `printf 'a\nb' | md5sum` prints it
    expect(identityHash(md5, 'a', 'b')).toBe('8cdeb44417f3c26826595d5820cf5700');
  });
});

describe('content', () => {
  test('equal bytes have equal hashes; a space in data changes the raw hash and not the digest', () => {
    const compact = content('{"meter":"m","quantity":1}');
    const spaced = content('{"quantity": 1.0, "meter": "m"}');
    expect(rawHash(md5, compact)).toBe(rawHash(md5, { ...compact }));
    expect(rawHash(md5, compact)).not.toBe(rawHash(md5, spaced));
    expect(contentDigest(sha256, compact)).toBe(contentDigest(sha256, spaced));
  });

  test.each([{ type: 'usage.other' }, { subject: 'org_2' }, { timeMicros: 1_000_001n }, { data: '{"a":2}' }])(
    'other content has another digest: %o',
    (changes) => {
      expect(contentDigest(sha256, content('{"a":1}', changes))).not.toBe(
        contentDigest(sha256, content('{"a":1}')),
      );
    },
  );

  test('the canonical content is JSON itself, with the time in microseconds', () => {
    expect(canonicalContent(content('{"b":1,"a":"x\\n"}'))).toBe(
      '{"data":{"a":"x\\n","b":1},"subject":"org_1","time":1000000,"type":"usage.recorded"}',
    );
  });
});
