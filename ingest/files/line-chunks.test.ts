import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutAtLines, type LineChunk } from './line-chunks.js';
import { prefetched } from './prefetched.js';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function* piecesOf(content: Buffer, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  // One piece of memory for all, as the reader of files has it.
  const shared = Buffer.alloc(Math.max(...sizes));
  for (let at = 0, index = 0; at < content.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1;
    const length = content.copy(shared, 0, at, at + size);
    await nextTurn();
    yield shared.subarray(0, length);
    at += length;
  }
}

interface Cut {
  readonly text: string;
  readonly chunk: LineChunk;
}

/** Reads each chunk only after a while, as ingest does while the next one is already being read. */
async function cut(
  content: Buffer,
  sizes: readonly number[],
  chunkBytes: number,
  known = new Map<number, Set<string>>(),
): Promise<Cut[]> {
  const cuts: Cut[] = [];
  const options = { chunkBytes, overlongHeadBytes: 5, known, seed: '' };
  for await (const chunk of prefetched(cutAtLines(piecesOf(content, sizes), options))) {
    await nextTurn();
    await nextTurn();
    cuts.push({ text: chunk.bytes.toString('latin1'), chunk });
  }
  return cuts;
}

const anyContent = fc
  .array(fc.string({ unit: fc.constantFrom('a', 'b', '\r'), maxLength: 60 }), { maxLength: 40 })
  .chain((lines) => fc.constantFrom('', '\n').map((end) => Buffer.from(lines.join('\n') + end)));
const anySizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 4 });

test('chunks are the file, cut at line breaks, numbered and measured, however it is read', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyContent,
      anySizes,
      fc.integer({ min: 10, max: 120 }),
      async (content, sizes, limit) => {
        const text = content.toString('latin1');
        let offset = 0;
        let line = 1;
        for (const { text: cutText, chunk } of await cut(content, sizes, limit)) {
          const whole = text.slice(chunk.startOffset, chunk.endOffset);
          expect(chunk.startOffset).toBe(offset);
          expect(chunk.firstLine).toBe(line);
          expect(cutText).toBe(chunk.overlongBytes === null ? whole : whole.slice(0, 5));
          if (chunk.overlongBytes !== null) expect(chunk.overlongBytes).toBe(whole.replace('\n', '').length);
          offset = chunk.endOffset;
          line += whole.split('\n').length - (whole.endsWith('\n') ? 1 : 0);
        }
        expect(offset).toBe(content.length);
      },
    ),
    { numRuns: 300 },
  );
});

test('a line whose break comes alone, after its beginning was given up, starts where it began', async () => {
  const [only] = await cut(Buffer.from('aaaaaaaaaa\n'), [1], 10);
  expect(only?.chunk).toMatchObject({ startOffset: 0, endOffset: 11, lineCount: 1, overlongBytes: 10 });
});

test('after any chunk, what is known is left out and the rest is the same', async () => {
  await fc.assert(
    fc.asyncProperty(anyContent, anySizes, fc.nat(), async (content, sizes, pick) => {
      const all = await cut(content, sizes, 40);
      if (all.length === 0) return;
      const done = all.slice(0, 1 + (pick % all.length));
      const known = new Map(done.map(({ chunk }) => [chunk.endOffset, new Set([chunk.chainDigest])]));
      const rest = await cut(content, [7], 40, known);
      expect(rest.map(({ chunk }) => chunk.chainDigest)).toEqual(
        all.slice(done.length).map(({ chunk }) => chunk.chainDigest),
      );
    }),
    { numRuns: 200 },
  );
});

test('when the file breaks off, whole lines come first, then the error', async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    await nextTurn();
    yield Buffer.from('one\ntwo\nhal');
    throw new Error('breaks off');
  }
  const texts: string[] = [];
  const options = { chunkBytes: 100, overlongHeadBytes: 5, known: new Map<number, Set<string>>(), seed: '' };
  await expect(async () => {
    for await (const { bytes } of cutAtLines(broken(), options)) texts.push(bytes.toString());
  }).rejects.toThrow('breaks off');
  expect(texts).toEqual(['one\ntwo\n']);
});
