import { expect, test } from 'vitest';
import { parseJsonBody, readWhole, requireMediaType, requireStorableText, streamOf } from './request-body.js';

function post(
  body: string | ReadableStream<Uint8Array>,
  headers: Readonly<Record<string, string>> = {},
): Request {
  return new Request('http://localhost/', { method: 'POST', body, headers, duplex: 'half' });
}

/** A body of unknown length, made piece by piece; tells how many pieces were asked for. */
function pieces(count: number, size: number) {
  let made = 0;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      if (made === count) controller.close();
      else controller.enqueue(new Uint8Array(size));
      made += 1;
    },
  });
  return { body, made: () => made };
}

test('a body up to the limit is read whole, with or without a declared length', async () => {
  expect(await readWhole(post('abcde'), 5)).toHaveLength(5);
  expect(await readWhole(post('abcde', { 'content-length': '5' }), 5)).toHaveLength(5);
  expect(await readWhole(post(pieces(5, 1).body), 5)).toHaveLength(5);
  expect(await readWhole(new Request('http://localhost/'), 5)).toHaveLength(0);
});

test('a declared length over the limit is refused before a byte is read', async () => {
  const { body, made } = pieces(100, 1000);
  const request = post(body, { 'content-length': '100000' });
  await expect(readWhole(request, 99_999)).rejects.toMatchObject({ code: 'body_too_large', status: 413 });
  // One piece is what a stream makes ahead of its reader.
  expect(made()).toBeLessThanOrEqual(1);
});

test('an undeclared length is cut off soon after the limit, not at its end', async () => {
  const { body, made } = pieces(1_000_000, 1000);
  await expect(readWhole(post(body), 10_000)).rejects.toMatchObject({ code: 'body_too_large' });
  expect(made()).toBeLessThan(20);
});

test('a stream ends with a problem once it is over the limit, after the pieces within it', async () => {
  const received: number[] = [];
  const read = async () => {
    for await (const piece of streamOf(post(pieces(10, 1000).body), 3500)) received.push(piece.length);
  };
  await expect(read()).rejects.toMatchObject({ code: 'body_too_large' });
  expect(received).toEqual([1000, 1000, 1000]);
});

test('a body that breaks off is told, and is no error of ours', async () => {
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      controller.error(new Error('connection reset'));
    },
  });
  await expect(readWhole(post(body), 100)).rejects.toMatchObject({ code: 'invalid_input', status: 400 });
});

test('media types are compared without case and parameters, and packed bodies are not taken', () => {
  const check = (headers: Readonly<Record<string, string>>) => () => {
    requireMediaType(post('x', headers), ['application/json']);
  };
  for (const type of [
    'application/json',
    'Application/JSON; charset=UTF-8',
    'application/json;charset="utf-8"',
  ]) {
    expect(check({ 'content-type': type })).not.toThrow();
  }
  for (const headers of [
    { 'content-type': 'text/json' },
    { 'content-type': 'application/json; charset=latin1' },
    { 'content-type': 'application/json', 'content-encoding': 'br' },
  ]) {
    expect(check(headers)).toThrow(expect.objectContaining({ code: 'unsupported_media_type', status: 415 }));
  }
});

test('no body is an object without fields', () => {
  expect(parseJsonBody(new Uint8Array(0))).toEqual({});
});

test('a NUL and endless nesting are refused wherever they stand', () => {
  const nul = { a: ['fine', { b: 'not\0fine' }] };
  expect(() => {
    requireStorableText(nul);
  }).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  const deep = parseJsonBody(Buffer.from('['.repeat(200_000) + ']'.repeat(200_000)));
  expect(() => {
    requireStorableText(deep);
  }).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  expect(() => {
    requireStorableText({ a: [1, null, true, 'text'] });
  }).not.toThrow();
});
