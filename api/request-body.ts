import { isUtf8 } from 'node:buffer';
import { InputError } from '../core/errors.js';

const NO_BYTES = new Uint8Array(0);

/**
 * The whole body, held to `limit` before it is held at all: by its declared length, or while it streams in.
 *
 * @throws InputError `body_too_large` (413), or `invalid_input` when the connection ended first; then nothing was done
 */
export async function readWhole(request: Request, limit: number): Promise<Uint8Array> {
  if (request.method === 'GET' || request.method === 'HEAD') return NO_BYTES;
  if (requireDeclaredFit(request, limit) !== null) {
    // HTTP holds a body to its declared length, so it can be taken in one piece.
    const bytes = new Uint8Array(await request.arrayBuffer().catch(brokenOff));
    if (bytes.length > limit) throw tooLarge(limit);
    return bytes;
  }
  const pieces: Uint8Array[] = [];
  for await (const piece of streamOf(request, limit)) pieces.push(piece);
  return pieces.length === 1 ? (pieces[0] ?? NO_BYTES) : Buffer.concat(pieces);
}

/** The body in pieces, never more than `limit` bytes of it. */
export async function* streamOf(request: Request, limit: number): AsyncGenerator<Uint8Array> {
  requireDeclaredFit(request, limit);
  if (request.body === null) return;
  let size = 0;
  const reader: ReadableStreamDefaultReader<Uint8Array> = request.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(brokenOff);
      if (done) return;
      size += value.length;
      if (size > limit) throw tooLarge(limit);
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** @throws InputError `invalid_utf8` or `invalid_json` */
export function parseJsonBody(bytes: Uint8Array): unknown {
  // No body at all is an object without fields: whether that will do is the schema's to say.
  if (bytes.length === 0) return {};
  if (!isUtf8(bytes)) throw new InputError('invalid_utf8', 'the body is not UTF-8; send it as UTF-8');
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch {
    throw new InputError(
      'invalid_json',
      'the body is not JSON; send an object with content-type application/json',
    );
  }
}

/** Deeper than any input of ours; a bound, because what follows goes down by recursion. */
const MOST_DEPTH = 50;

/** @throws InputError where a text holds a NUL character, which no store takes as text, or nesting has no end */
export function requireStorableText(input: unknown, depth = 0): void {
  if (typeof input === 'string' && input.includes('\0')) {
    throw new InputError('invalid_argument', 'a text holds the character NUL (\\u0000); leave it out');
  }
  if (typeof input !== 'object' || input === null) return;
  if (depth === MOST_DEPTH) {
    throw new InputError(
      'invalid_argument',
      `the body is nested more than ${MOST_DEPTH} deep; is it what you meant?`,
    );
  }
  for (const part of Object.values(input)) requireStorableText(part, depth + 1);
}

/** `Application/JSON; charset=utf-8` → `application/json`; '' where none was sent. */
export function mediaTypeOf(request: Request): string {
  const [type = ''] = (request.headers.get('content-type') ?? '').split(';');
  return type.trim().toLowerCase();
}

/** @throws InputError `unsupported_media_type` (415): of another type, packed, or in another encoding than UTF-8 */
export function requireMediaType(request: Request, accepted: readonly string[]): void {
  const type = mediaTypeOf(request);
  if (!accepted.includes(type)) {
    throw unsupported(`content-type ${type === '' ? 'is missing' : `"${type}" is not taken here`}`, accepted);
  }
  const charset = /charset="?([^";]+)/i.exec(request.headers.get('content-type') ?? '')?.[1];
  if (charset !== undefined && charset.trim().toLowerCase() !== 'utf-8') {
    throw unsupported(`charset "${charset}" is not taken`, accepted);
  }
  const encoding = request.headers.get('content-encoding');
  if (encoding !== null && encoding.toLowerCase() !== 'identity') {
    throw unsupported(`content-encoding "${encoding}" is not taken`, accepted);
  }
}

function unsupported(what: string, accepted: readonly string[]): InputError {
  return new InputError(
    'unsupported_media_type',
    `${what.slice(0, 200)}; send it unpacked, in UTF-8, as ${accepted.join(' or ')}`,
    { status: 415, details: { accepted: [...accepted] } },
  );
}

/** @returns the declared length; null where none was declared */
function requireDeclaredFit(request: Request, limit: number): number | null {
  const declared = request.headers.get('content-length');
  if (declared === null) return null;
  const length = Number(declared);
  if (length > limit) throw tooLarge(limit);
  return length;
}

function tooLarge(limit: number): InputError {
  return new InputError(
    'body_too_large',
    `the body is larger than ${limit} bytes; send it in parts, or as a file with headgate ingest`,
    { status: 413, details: { limitBytes: limit } },
  );
}

function brokenOff(cause: unknown): never {
  throw new InputError(
    'invalid_input',
    'the connection ended before the body did; nothing of it was taken, send it again',
    { cause },
  );
}
