import { isUtf8 } from 'node:buffer';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const EMPTY_LINE = Buffer.from('\n');

/** A line with its place in the chunk, without its line break. */
export interface Line {
  /** 0-based. */
  readonly ordinal: number;
  readonly bytes: Buffer;
}

export interface SeparatedLines {
  /** As many lines as the chunk has, with an empty one in place of each that the engine must not see. */
  readonly safe: Buffer;
  readonly unsafe: readonly Line[];
}

/**
 * Takes out lines that would make the engine refuse the whole chunk, or split differently than we do: those not
 * in UTF-8, with NUL or a lone carriage return, or longer than the limit.
 */
export function separateUnsafeLines(bytes: Buffer, maxLineBytes: number): SeparatedLines {
  if (isSafeAsItIs(bytes, maxLineBytes)) return { safe: bytes, unsafe: [] };
  const unsafe: Line[] = [];
  const safe: Buffer[] = [];
  for (const line of linesOf(bytes)) {
    const isSafe =
      line.bytes.length <= maxLineBytes &&
      isUtf8(line.bytes) &&
      !line.bytes.includes(0) &&
      !line.bytes.includes(CARRIAGE_RETURN);
    if (isSafe) safe.push(line.bytes, EMPTY_LINE);
    else {
      safe.push(EMPTY_LINE);
      unsafe.push(line);
    }
  }
  return { safe: Buffer.concat(safe), unsafe };
}

/** Every line; "\r\n" counts as one line break. */
export function* linesOf(bytes: Buffer): Generator<Line> {
  let ordinal = 0;
  for (let start = 0; start < bytes.length; ordinal += 1) {
    const lineBreak = bytes.indexOf(LINE_FEED, start);
    const next = lineBreak === -1 ? bytes.length : lineBreak;
    const end = next > start && bytes[next - 1] === CARRIAGE_RETURN ? next - 1 : next;
    yield { ordinal, bytes: bytes.subarray(start, end) };
    start = next + 1;
  }
}

/** Only those lines, by ascending ordinal. */
export function* pickLines(bytes: Buffer, ordinals: readonly number[]): Generator<Line> {
  let wanted = 0;
  for (const line of linesOf(bytes)) {
    if (wanted === ordinals.length) return;
    if (line.ordinal !== ordinals[wanted]) continue;
    wanted += 1;
    yield line;
  }
}

/** Blank lines are nobody's event. */
export function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === CARRIAGE_RETURN);
}

function isSafeAsItIs(bytes: Buffer, maxLineBytes: number): boolean {
  return (
    isUtf8(bytes) &&
    !bytes.includes(0) &&
    !bytes.includes(CARRIAGE_RETURN) &&
    !hasLongLine(bytes, maxLineBytes)
  );
}

/** Hops from line break to line break as far apart as the limit allows, so it looks at few bytes. */
function hasLongLine(bytes: Buffer, maxLineBytes: number): boolean {
  let lineStart = 0;
  while (bytes.length - lineStart > maxLineBytes) {
    const lastBreak = bytes.lastIndexOf(LINE_FEED, lineStart + maxLineBytes);
    if (lastBreak < lineStart) return true;
    lineStart = lastBreak + 1;
  }
  return false;
}
