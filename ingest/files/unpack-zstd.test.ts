import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import { zstdFrame, zstdSkippable, zstdStored } from '../../test/support/zstd-frames.js';
import { unpackZstd } from './unpack-zstd.js';

// What `zstd -19` and `zstd --no-check` (1.5.7) made of two texts.
const TWO_LINES = 'first line\nsecond line, second line, second line\n';
const TWO_LINES_PACKED = Buffer.from(
  'KLUv/SQx/QAAyGZpcnN0IGxpbmUKc2Vjb25kIGxpbmUsIAoBAAA4x6l0kGs=',
  'base64',
);
const THIRD_PACKED = Buffer.from('KLUv/SAGMQAAdGhpcmQK', 'base64');

async function* inPieces(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  // The same memory over and over, as files are read.
  const piece = Buffer.alloc(pieceBytes);
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    const length = piece.length > bytes.length - start ? bytes.length - start : piece.length;
    piece.set(bytes.subarray(start, start + length));
    yield await Promise.resolve(piece.subarray(0, length));
  }
}

interface Outcome {
  readonly text: string;
  readonly error: unknown;
}

async function unpack(packed: Uint8Array, pieceBytes = 32 << 10): Promise<Outcome> {
  const pieces: Uint8Array[] = [];
  const text = (): string => Buffer.concat(pieces).toString('utf8');
  try {
    for await (const piece of unpackZstd(inPieces(packed, pieceBytes), 'a.zst')) pieces.push(piece);
    return { text: text(), error: null };
  } catch (error) {
    return { text: text(), error };
  }
}

test('frames one after the other are one text, whatever stands between them and however they are cut', async () => {
  const packed = Buffer.concat([
    zstdSkippable(0),
    TWO_LINES_PACKED,
    zstdSkippable(100_000),
    THIRD_PACKED,
    zstdStored(''),
    zstdStored('fourth\n', 2),
    zstdSkippable(5),
  ]);
  for (const pieceBytes of [1, 7, 32 << 10]) {
    expect(await unpack(packed, pieceBytes)).toEqual({ text: `${TWO_LINES}third\nfourth\n`, error: null });
  }
});

test('what a packer makes of much text comes out byte for byte', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'headgate-zstd-'));
  const instance = await DuckDBInstance.create();
  try {
    const connection = await instance.connect();
    for (const [name, compression] of [
      ['plain.json', 'none'],
      ['packed.json.zst', 'zstd'],
    ] as const) {
      await connection.run(`COPY (SELECT md5(i::VARCHAR) AS id, i % 7 AS n, 'usage.recorded' AS type FROM range(60000) AS r(i))
        TO '${join(directory, name)}' (FORMAT json, COMPRESSION ${compression})`);
    }
    const { text, error } = await unpack(readFileSync(join(directory, 'packed.json.zst')));
    expect(error).toBeNull();
    expect(text === readFileSync(join(directory, 'plain.json'), 'utf8')).toBe(true);
  } finally {
    instance.closeSync();
    rmSync(directory, { recursive: true });
  }
});

test('wherever it breaks off, what precedes comes out and the break is told', async () => {
  const packed = Buffer.concat([TWO_LINES_PACKED, zstdStored('abcdefghij\n', 4)]);
  const whole = `${TWO_LINES}abcdefghij\n`;
  const lengths = Array.from({ length: packed.length - 1 }, (_, index) => index + 1);
  for (const length of lengths.filter((one) => one % 7 === 0)) {
    const { text, error } = await unpack(packed.subarray(0, length));
    expect(whole.startsWith(text)).toBe(true);
    if (length === TWO_LINES_PACKED.length) expect(error).toBeNull();
    else expect(error).toMatchObject({ code: 'truncated_file' });
  }
  const { text } = await unpack(packed.subarray(0, packed.length - 1));
  expect(text).toBe(`${TWO_LINES}abcdefgh`);
});

test('a flipped bit anywhere is told, or changes nothing', async () => {
  for (let index = 0; index < TWO_LINES_PACKED.length; index += 3) {
    const flipped = Buffer.from(TWO_LINES_PACKED);
    flipped[index] = (flipped[index] ?? 0) ^ (1 << (index % 8));
    const { text, error } = await unpack(flipped);
    if (error === null) expect([index, text]).toEqual([index, TWO_LINES]);
    else
      expect(error).toMatchObject({
        code: expect.stringMatching(/^(truncated_file|unsupported_format)$/) as string,
      });
  }
});

test('a few bytes that unpack to hundreds of megabytes never are in memory at once', async () => {
  const bomb = zstdFrame(Array.from({ length: 2_000 }, () => ({ kind: 'repeat', byte: 0x0a })));
  expect(bomb.length).toBeLessThan(9_000);
  let total = 0;
  let largest = 0;
  for await (const piece of unpackZstd(inPieces(bomb, 32 << 10), 'a.zst')) {
    total += piece.length;
    largest = Math.max(largest, piece.length);
  }
  expect(total).toBe(2_000 * 131_072);
  expect(largest).toBeLessThanOrEqual(1 << 20);
});

test.each([
  [
    'a window of a gigabyte',
    zstdFrame([{ kind: 'repeat', byte: 10 }], { windowDescriptor: 0xa0 }),
    /needs a window of 1024 MiB.*128 is the most/,
  ],
  ['a dictionary', zstdFrame([{ kind: 'repeat', byte: 10 }], { dictionaryId: 9 }), /needs a dictionary/],
])('%s is refused before a block is read', async (_, packed, message) => {
  const { text, error } = await unpack(packed);
  expect(text).toBe('');
  expect(error).toMatchObject({
    code: 'unsupported_format',
    message: expect.stringMatching(message) as string,
  });
});

test('a reader that has seen enough may leave', async () => {
  for await (const piece of unpackZstd(inPieces(TWO_LINES_PACKED, 8), 'a.zst')) {
    expect(piece.length).toBeGreaterThan(0);
    break;
  }
});
