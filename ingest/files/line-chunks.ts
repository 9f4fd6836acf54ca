import { createHash, type Hash } from 'node:crypto';

const LINE_FEED = 0x0a;
/** What is read at a time, at most. */
export const PIECE_BYTES = 1 << 20;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** A stretch of a file: whole lines (the file's last one may lack its line break). */
export interface LineChunk {
  /** Valid until the chunk after the next is asked for: then its memory is used again. */
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
  /** What `firstLine` and `lineCount` count, when not lines. */
  readonly countLines?: (bytes: Buffer) => number;
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

/**
 * Room for a chunk and the beginning of the next, used over and over: new memory for each chunk would cost as much as
 * reading it. What was dropped stays where it is until the bytes after the next chunk need the room.
 */
class TwoBuffers {
  private current: Buffer;
  private spare: Buffer;
  private start = 0;
  private end = 0;
  /** Whether a chunk in `current` went out since the last change of buffers; somebody may still be reading it. */
  private isLent = false;

  constructor(capacityBytes: number) {
    this.current = Buffer.allocUnsafe(capacityBytes);
    this.spare = Buffer.allocUnsafe(capacityBytes);
  }

  get length(): number {
    return this.end - this.start;
  }

  bytes(): Buffer {
    return this.current.subarray(this.start, this.end);
  }

  add(piece: Uint8Array): void {
    if (this.isLent) this.moveOver();
    else if (this.start > 0) this.moveDown();
    if (this.end + piece.length > this.current.length) this.grow(this.end + piece.length);
    this.current.set(piece, this.end);
    this.end += piece.length;
  }

  drop(count: number): void {
    this.start += count;
  }

  /** Drops bytes that go out as a chunk. */
  lend(count: number): void {
    this.drop(count);
    this.isLent = true;
  }

  private moveDown(): void {
    this.current.copyWithin(0, this.start, this.end);
    this.end -= this.start;
    this.start = 0;
  }

  private moveOver(): void {
    if (this.spare.length < this.current.length) this.spare = Buffer.allocUnsafe(this.current.length);
    this.bytes().copy(this.spare);
    [this.current, this.spare] = [this.spare, this.current];
    this.end -= this.start;
    this.start = 0;
    this.isLent = false;
  }

  private grow(capacityBytes: number): void {
    const grown = Buffer.allocUnsafe(capacityBytes + PIECE_BYTES);
    this.bytes().copy(grown);
    this.current = grown;
  }
}

class LineCutter {
  private readonly buffer: TwoBuffers;
  private startOffset = 0;
  private firstLine = 1;
  private readonly hash: Hash;
  /** Inside a line that is longer than a chunk: its beginning and what was passed of it so far. */
  private overlong: { head: Buffer; startOffset: number; lengthBytes: number } | null = null;

  constructor(private readonly options: CutOptions) {
    this.hash = createHash('sha256').update(options.seed);
    this.buffer = new TwoBuffers(options.chunkBytes + PIECE_BYTES);
  }

  add(piece: Uint8Array): void {
    this.buffer.add(piece);
  }

  isEmpty(): boolean {
    return this.buffer.length === 0 && this.overlong === null;
  }

  isFull(): boolean {
    return this.buffer.length >= this.options.chunkBytes;
  }

  hasWholeRecord(): boolean {
    const bytes = this.buffer.bytes();
    return this.overlong ? bytes.includes(LINE_FEED) : this.endOfLastRecord(bytes, bytes.length) > 0;
  }

  /** The next chunk, or null when what is buffered was known or is the middle of a long line. */
  cut(): LineChunk | null {
    const bytes = this.buffer.bytes();
    if (this.overlong) return this.passOverlong(bytes);
    const end = this.endOfLastRecord(bytes, Math.min(bytes.length, this.options.chunkBytes));
    if (end > 0) return this.take(bytes, end);
    const firstBreak = bytes.indexOf(LINE_FEED);
    if (firstBreak !== -1) return this.take(bytes, firstBreak + 1);
    this.overlong = {
      head: Buffer.from(bytes.subarray(0, this.options.overlongHeadBytes)),
      startOffset: this.startOffset,
      lengthBytes: 0,
    };
    return this.passOverlong(bytes);
  }

  private countLines(bytes: Buffer): number {
    return (this.options.countLines ?? countLines)(bytes);
  }

  private endOfLastRecord(bytes: Buffer, limit: number): number {
    const { endOfLastRecord } = this.options;
    return endOfLastRecord?.(bytes, limit) ?? bytes.lastIndexOf(LINE_FEED, limit - 1) + 1;
  }

  /** At the end of the file: whatever is left, in chunks of the same size as before. */
  cutRest(): LineChunk | null {
    if (this.isFull()) return this.cut();
    const bytes = this.buffer.bytes();
    if (this.overlong) return this.passOverlong(bytes) ?? this.endOverlong();
    return this.take(bytes, bytes.length);
  }

  private drop(count: number): void {
    this.buffer.drop(count);
    this.startOffset += count;
  }

  private take(buffered: Buffer, end: number): LineChunk | null {
    const knownEnd = this.passKnown(buffered.subarray(0, end));
    if (knownEnd > 0) {
      this.firstLine += this.countLines(buffered.subarray(0, knownEnd));
      this.drop(knownEnd);
      return null;
    }
    const bytes = this.startOffset === 0 ? withoutMark(buffered.subarray(0, end)) : buffered.subarray(0, end);
    this.hash.update(buffered.subarray(0, end));
    const chunk = {
      bytes,
      startOffset: this.startOffset,
      endOffset: this.startOffset + end,
      firstLine: this.firstLine,
      lineCount: this.countLines(bytes),
      chainDigest: this.hash.copy().digest('hex'),
      overlongBytes: null,
    };
    this.firstLine += chunk.lineCount;
    this.buffer.lend(end);
    this.startOffset += end;
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
    this.drop(end);
    return lineBreak === -1 ? null : this.endOverlong();
  }

  private endOverlong(): LineChunk | null {
    const { overlong } = this;
    if (!overlong) return null;
    this.overlong = null;
    const chainDigest = this.hash.copy().digest('hex');
    const firstLine = this.firstLine;
    this.firstLine += 1;
    if (this.options.known.get(this.startOffset)?.has(chainDigest) === true) return null;
    return {
      bytes: overlong.head,
      startOffset: overlong.startOffset,
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
