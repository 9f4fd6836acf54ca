import { InputError } from '../../core/errors.js';
import { frameKind } from './zstd-frame.js';

/** How many first bytes `requireText` needs to see. */
export const SNIFFED_BYTES = 4_096;
const MAX_NUL_SHARE = 0.01;

interface Signature {
  readonly bytes: readonly number[];
  readonly what: string;
  readonly advice: string;
}

const UNPACK = 'unpack it and ingest the files inside';
const EXPORT = 'export it as CSV or NDJSON';
const ONCE = 'it is packed twice; unpack it once';
const GZIP: Signature = { bytes: [0x1f, 0x8b], what: 'gzip data', advice: ONCE };
const ZSTD: Signature = { bytes: [0x28, 0xb5, 0x2f, 0xfd], what: 'zstd data', advice: ONCE };

const PARQUET = [0x50, 0x41, 0x52, 0x31] as const;
const ENCRYPTED_PARQUET = [0x50, 0x41, 0x52, 0x45] as const;

/** First bytes that say for certain what a file is, whatever its name says. */
const SIGNATURES: readonly Signature[] = [
  { bytes: [0x50, 0x4b, 0x03, 0x04], what: 'a ZIP archive (or an .xlsx workbook)', advice: UNPACK },
  { bytes: [0x50, 0x4b, 0x05, 0x06], what: 'an empty ZIP archive', advice: UNPACK },
  GZIP,
  ZSTD,
  { bytes: [0x42, 0x5a, 0x68], what: 'bzip2 data', advice: 'unpack it with `bunzip2`, or pack it with gzip' },
  {
    bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a],
    what: 'xz data',
    advice: 'unpack it with `unxz`, or pack it with gzip',
  },
  // Comes here packed only: one as it is goes another way.
  { bytes: PARQUET, what: 'a Parquet file', advice: 'unpack it; Parquet is packed by itself' },
  { bytes: [0xd0, 0xcf, 0x11, 0xe0], what: 'an old Office document (.xls)', advice: EXPORT },
  { bytes: [0x25, 0x50, 0x44, 0x46], what: 'a PDF', advice: EXPORT },
  { bytes: [0x53, 0x51, 0x4c, 0x69, 0x74, 0x65], what: 'an SQLite database', advice: EXPORT },
  { bytes: [0xff, 0xfe], what: 'UTF-16 text', advice: 'save it as UTF-8' },
  { bytes: [0xfe, 0xff], what: 'UTF-16 text', advice: 'save it as UTF-8' },
];

export function isParquet(head: Uint8Array): boolean {
  return startsWith(head, PARQUET) || startsWith(head, ENCRYPTED_PARQUET);
}

export type Packing = 'gzip' | 'zstd';

/**
 * How a file is packed, by its first bytes; null when it is not.
 *
 * @throws InputError `unsupported_format` when its name says that it is packed and it is not
 */
export function packingOf(head: Uint8Array, fileName: string): Packing | null {
  if (startsWith(head, GZIP.bytes)) return 'gzip';
  // Tools that pack with several threads put a frame for themselves first.
  if (frameKind(head) !== 'none') return 'zstd';
  const ending = /\.(gz|zst)$/i.exec(fileName)?.[1]?.toLowerCase();
  // An empty file is none of anything, and nothing is in it.
  if (ending === undefined || head.length === 0) return null;
  throw new InputError(
    'unsupported_format',
    `file ${fileName}: its name ends in .${ending} but it is not ${ending === 'gz' ? 'gzip' : 'zstd'} data`,
    { details: { file: fileName } },
  );
}

/**
 * Refuses a file that is not what its name says, before a single line of it lands in quarantine.
 *
 * @param head the first bytes, unpacked
 * @throws InputError `unsupported_format`
 */
export function requireText(head: Uint8Array, fileName: string): void {
  const signature = SIGNATURES.find(({ bytes }) => startsWith(head, bytes));
  if (signature) throw notText(fileName, signature.what, signature.advice);
  // Text has no NUL bytes, but a stray one makes a bad line, not a bad file.
  const nulCount = head.filter((byte) => byte === 0).length;
  if (nulCount > MAX_NUL_SHARE * head.length) throw notText(fileName, 'binary data', EXPORT);
}

function notText(fileName: string, what: string, advice: string): InputError {
  return new InputError('unsupported_format', `file ${fileName}: is ${what}, not text; ${advice}`, {
    details: { file: fileName, found: what },
  });
}

function startsWith(head: Uint8Array, bytes: readonly number[]): boolean {
  return head.length >= bytes.length && bytes.every((byte, index) => head[index] === byte);
}
