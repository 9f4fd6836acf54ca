import { createHash, type Hash } from 'node:crypto';

const LINE_FEED = 0x0a;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** A stretch of a file: whole lines (the file's last one may lack its line break). */
export interface LineChunk {
  readonly bytes: Buffer;
  /** Of the file's first byte that belongs to it, and of the first that does not. */
  readonly startOffset: number;
  readonly endOffset: number;
  /** 1-based number of its first line. */
  readonly firstLine: number;
  readonly lineCount: number;
  /** Digest of the file from its start to `endOffset`. */
  readonly chainDigest: string;
  /** Set when the chunk is one line too long to hold: its length; `bytes` is only its beginning. */
  readonly overlongBytes: number | null;
}

/** Ends of chunks that were taken in before: offset → digests of the bytes up to there. */
export type KnownEnds = ReadonlyMap<number, ReadonlySet<string>>;

export interface CutOptions {
  /** A chunk is cut at the last line break within so many bytes. */
  readonly chunkBytes: number;
  /** Of a line longer than a chunk, so much is kept. */
  readonly overlongHeadBytes: number;
  readonly known: KnownEnds;
  /** Goes into every digest: the same bytes read by another mapping are other events. */
  readonly seed: string;
  /** End of the last whole record within `limit` bytes, or 0. A record is a line where this is left out. */
  readonly endOfLastRecord?: (bytes: Buffer, limit: number) => number;
}

/**
 * Cuts a file into chunks at line breaks and leaves out what was taken in before. When the pieces break off with
 * an error, the whole lines that precede are yielded first; a last half line is not, it will come complete.
 */
export async function* cutAtLines(
  pieces: AsyncIterable<Uint8Array>,
  options: CutOptions,
): AsyncGenerator<LineChunk> {
  const cutter = new LineCutter(options);
  try {
    for await (const piece of pieces) {
      cutter.add(piece);
      while (cutter.isFull()) yield* some(cutter.cut());
    }
  } catch (error) {
    while (cutter.hasWholeRecord()) yield* some(cutter.cut());
    throw error;
  }
  while (!cutter.isEmpty()) yield* some(cutter.cutRest());
}

function* some(chunk: LineChunk | null): Generator<LineChunk> {
  if (chunk) yield chunk;
}

class LineCutter {
  private pieces: Uint8Array[] = [];
  private bufferedBytes = 0;
  private startOffset = 0;
  private firstLine = 1;
  private readonly hash: Hash;
  /** Inside a line that is longer than a chunk: its beginning and what was passed of it so far. */
  private overlong: { head: Buffer; lengthBytes: number } | null = null;

  constructor(private readonly options: CutOptions) {
    this.hash = createHash('sha256').update(options.seed);
  }

  add(piece: Uint8Array): void {
    this.pieces.push(piece);
    this.bufferedBytes += piece.length;
  }

  isEmpty(): boolean {
    return this.bufferedBytes === 0 && this.overlong === null;
  }

  isFull(): boolean {
    return this.bufferedBytes >= this.options.chunkBytes;
  }

  hasWholeRecord(): boolean {
    if (this.overlong) return this.pieces.some((piece) => piece.includes(LINE_FEED));
    return this.endOfLastRecord(this.joined(), this.bufferedBytes) > 0;
  }

  /** The next chunk, or null when what is buffered was known or is the middle of a long line. */
  cut(): LineChunk | null {
    const bytes = this.joined();
    if (this.overlong) return this.passOverlong(bytes);
    const end = this.endOfLastRecord(bytes, Math.min(bytes.length, this.options.chunkBytes));
    if (end > 0) return this.take(bytes, end);
    const firstBreak = bytes.indexOf(LINE_FEED);
    if (firstBreak !== -1) return this.take(bytes, firstBreak + 1);
    this.overlong = { head: Buffer.from(bytes.subarray(0, this.options.overlongHeadBytes)), lengthBytes: 0 };
    return this.passOverlong(bytes);
  }

  private endOfLastRecord(bytes: Buffer, limit: number): number {
    const { endOfLastRecord } = this.options;
    return endOfLastRecord?.(bytes, limit) ?? bytes.lastIndexOf(LINE_FEED, limit - 1) + 1;
  }

  /** At the end of the file: whatever is left, in chunks of the same size as before. */
  cutRest(): LineChunk | null {
    if (this.isFull()) return this.cut();
    const bytes = this.joined();
    if (this.overlong) return this.passOverlong(bytes) ?? this.endOverlong();
    return this.take(bytes, bytes.length);
  }

  private joined(): Buffer {
    const [only] = this.pieces;
    const bytes =
      this.pieces.length === 1 && only
        ? Buffer.from(only.buffer, only.byteOffset, only.byteLength)
        : Buffer.concat(this.pieces, this.bufferedBytes);
    this.pieces = bytes.length === 0 ? [] : [bytes];
    return bytes;
  }

  private drop(bytes: Buffer, count: number): void {
    this.pieces = count === bytes.length ? [] : [bytes.subarray(count)];
    this.bufferedBytes = bytes.length - count;
    this.startOffset += count;
  }

  private take(buffered: Buffer, end: number): LineChunk | null {
    const knownEnd = this.passKnown(buffered.subarray(0, end));
    if (knownEnd > 0) {
      this.firstLine += countLines(buffered.subarray(0, knownEnd));
      this.drop(buffered, knownEnd);
      return null;
    }
    const bytes = this.startOffset === 0 ? withoutMark(buffered.subarray(0, end)) : buffered.subarray(0, end);
    this.hash.update(buffered.subarray(0, end));
    const chunk = {
      bytes,
      startOffset: this.startOffset,
      endOffset: this.startOffset + end,
      firstLine: this.firstLine,
      lineCount: countLines(bytes),
      chainDigest: this.hash.copy().digest('hex'),
      overlongBytes: null,
    };
    this.firstLine += chunk.lineCount;
    this.drop(buffered, end);
    return chunk;
  }

  /**
   * Looks for the furthest end within the bytes up to which all was taken in before, and moves the digest there.
   * It need not be a cut of today: the file may have grown since, right behind its old end.
   */
  private passKnown(bytes: Buffer): number {
    const ends = [...this.options.known.keys()]
      .filter((end) => end > this.startOffset && end <= this.startOffset + bytes.length)
      .sort((a, b) => a - b);
    const running = this.hash.copy();
    let hashed = 0;
    let known = 0;
    for (const end of ends) {
      running.update(bytes.subarray(hashed, end - this.startOffset));
      hashed = end - this.startOffset;
      if (this.options.known.get(end)?.has(running.copy().digest('hex')) === true) known = hashed;
    }
    if (known > 0) this.hash.update(bytes.subarray(0, known));
    return known;
  }

  private passOverlong(bytes: Buffer): LineChunk | null {
    const lineBreak = bytes.indexOf(LINE_FEED);
    const end = lineBreak === -1 ? bytes.length : lineBreak + 1;
    this.hash.update(bytes.subarray(0, end));
    if (this.overlong) this.overlong.lengthBytes += lineBreak === -1 ? end : lineBreak;
    this.drop(bytes, end);
    return lineBreak === -1 ? null : this.endOverlong();
  }

  private endOverlong(): LineChunk | null {
    const { overlong } = this;
    if (!overlong) return null;
    this.overlong = null;
    const chainDigest = this.hash.copy().digest('hex');
    const firstLine = this.firstLine;
    this.firstLine += 1;
    const startOffset = this.startOffset - overlong.lengthBytes;
    if (this.options.known.get(this.startOffset)?.has(chainDigest) === true) return null;
    return {
      bytes: overlong.head,
      startOffset,
      endOffset: this.startOffset,
      firstLine,
      lineCount: 1,
      chainDigest,
      overlongBytes: overlong.lengthBytes,
    };
  }
}

function withoutMark(bytes: Buffer): Buffer {
  return bytes.subarray(0, 3).equals(BYTE_ORDER_MARK) ? bytes.subarray(3) : bytes;
}

/** Lines, the last one with or without its line break. */
export function countLines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, at + 1)) count += 1;
  return bytes.length > 0 && bytes[bytes.length - 1] !== LINE_FEED ? count + 1 : count;
}
