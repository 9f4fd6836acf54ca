import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UnavailableError } from '../../core/errors.js';
import { fieldSpecs } from '../../core/events/field-specs.js';
import type { PersonalKeys } from '../../core/events/personal.js';
import { isEventType } from '../../core/events.js';
import type { Instant } from '../../core/time.js';
import type { BulkSession, PlacedEvent } from '../../platform/warehouse/bulk-warehouse.js';
import { siftLines, type SiftedLines } from '../bulk/sift-lines.js';
import { keepPersonalValues, type IngestServices } from '../pipeline.js';
import { tokeniserFor } from '../personal-tokens.js';
import type { Refusal } from '../quarantine-store.js';
import { readEventBytes, tooLarge, type AcceptedEvent } from '../read-event.js';
import type { ChunkLog } from './chunk-log.js';
import type { FileBytes } from './file-bytes.js';
import type { ChunkCounts } from './file-report.js';
import type { LineChunk } from './line-chunks.js';
import { isBlank, linesOf, pickLines, separateUnsafeLines, type Line } from './safe-lines.js';
import { storeChunk, type ReadChunk } from './store-chunk.js';

export interface ChunkServices extends IngestServices {
  /** For what the engine reads; emptied after each chunk. */
  readonly temporaryDirectory: string;
  /** Below so many lines of a type in a chunk, zod is quicker than planning a statement. */
  readonly minimumBulkLines: number;
}

/** A chunk after the engine has looked at it. It no longer needs the chunk's own memory. */
export interface SiftedChunk {
  readonly chunk: LineChunk;
  readonly sifted: SiftedLines;
  /** Lines that zod has to look at, by ordinal. */
  readonly lines: readonly Line[];
}

/** What JavaScript made of the lines that the engine was not sure of. */
interface ReadLines extends ReadChunk {
  readonly placed: readonly PlacedEvent[];
}

/** Whose lines they are, for where one is named. */
export type LineSource = Pick<FileBytes, 'name' | 'unit'>;

/** The engine sets memory aside for lines of this length; longer ones are few, and zod's. */
const ENGINE_LINE_BYTES = 1 << 20;
const NOTHING_SIFTED: SiftedLines = { selections: [], sureRows: 0, unsureOrdinals: [] };

/** First half: the engine validates what it is sure of. Nothing is written that outlives the session. */
export async function siftChunk(
  chunk: LineChunk,
  session: BulkSession,
  services: ChunkServices,
  now: Instant,
): Promise<SiftedChunk> {
  // Of a line longer than a chunk only the beginning is here: nothing in it could be validated.
  if (chunk.overlongBytes !== null) return { chunk, sifted: NOTHING_SIFTED, lines: [] };
  const { safe, unsafe } = separateUnsafeLines(chunk.bytes, ENGINE_LINE_BYTES);
  const sifted = await siftBytes(safe, session, services, now);
  const lines = [...pickLines(safe, sifted.unsureOrdinals), ...unsafe]
    .filter(({ bytes }) => !isBlank(bytes))
    .sort((a, b) => a.ordinal - b.ordinal)
    // Copies, because the chunk's memory is used again while these wait for their turn.
    .map(({ ordinal, bytes }) => ({ ordinal, bytes: Buffer.from(bytes) }));
  return { chunk, sifted, lines };
}

/**
 * Second half: zod takes the rest, and the rows of both commit in one transaction with the chunk's digest. Values
 * for the vault and bad lines are durable before that; a retry after a crash finds them there.
 */
export async function commitChunk(
  { chunk, sifted, lines }: SiftedChunk,
  source: LineSource,
  session: BulkSession,
  services: ChunkServices,
  now: Instant,
): Promise<ChunkCounts> {
  const { chainDigest, lineCount, endOffset } = chunk;
  const read =
    chunk.overlongBytes === null
      ? await readLines(lines, chunk, source, services, now)
      : overlongLine(chunk, chunk.overlongBytes, source, services.limits.eventBytes);
  await keepPersonalValues(read.accepted, services.vault, now);
  if (read.refusals.length > 0) await services.quarantine.put(read.refusals, now);
  const accepted = sifted.sureRows + read.placed.length;
  const receipt = await session.append({
    ordinalSpan: BigInt(lineCount),
    selections: sifted.selections,
    events: read.placed,
    chunk: { chainDigest, sourceName: source.name, offsetBytes: BigInt(endOffset), rows: BigInt(accepted) },
    recordedAtMicros: now,
  });
  // Somebody else took the same bytes in meanwhile: it is theirs to count.
  if (receipt.first === null && accepted > 0) return { accepted: 0, byEngine: 0, quarantined: 0 };
  return { accepted, byEngine: sifted.sureRows, quarantined: read.refusals.length };
}

/** A chunk whose every line goes through zod and then through the log. */
export async function logChunk(
  chunk: LineChunk,
  source: LineSource,
  services: IngestServices & { readonly chunkLog: ChunkLog },
  now: Instant,
): Promise<ChunkCounts> {
  const { bytes, overlongBytes } = chunk;
  const lines = [...linesOf(bytes)].filter((line) => !isBlank(line.bytes));
  const read =
    overlongBytes === null
      ? await readLines(lines, chunk, source, services, now)
      : overlongLine(chunk, overlongBytes, source, services.limits.eventBytes);
  return storeChunk(read, chunk, source.name, services, now);
}

/** It was never held whole: its beginning is what quarantine keeps. */
function overlongLine(
  { bytes, firstLine }: LineChunk,
  lengthBytes: number,
  { name: sourceName, unit }: LineSource,
  maxEventBytes: number,
): ReadLines {
  const { problems } = tooLarge(lengthBytes, maxEventBytes);
  const refusal = { raw: bytes, sourceName, sourcePosition: `${unit} ${firstLine}`, problems };
  return { accepted: [], placed: [], refusals: [refusal] };
}

async function siftBytes(
  safe: Buffer,
  session: BulkSession,
  { limits, temporaryDirectory, minimumBulkLines, personalKeys }: ChunkServices,
  now: Instant,
): Promise<SiftedLines> {
  const linesFile = join(temporaryDirectory, `lines-${randomUUID()}.ndjson`);
  try {
    await writeFile(linesFile, safe);
    return await siftLines(session, linesFile, {
      minimumLines: minimumBulkLines,
      maxLineBytes: ENGINE_LINE_BYTES,
      excludedTypes: typesWithPersonalFields(await personalKeys()),
      latestMicros: now + BigInt(limits.futureSkewSeconds) * 1_000_000n,
    });
  } catch (error) {
    throw fullDisk(error, linesFile) ?? error;
  } finally {
    await rm(linesFile, { force: true });
  }
}

/**
 * Types in which the catalog calls a field of the schema personal. (A field that no schema knows makes a line unsure
 * by itself.)
 */
function typesWithPersonalFields({ fields }: PersonalKeys): Set<string> {
  const isOfSchema = ({ eventType, path }: PersonalKeys['fields'][number]): boolean => {
    const [root = ''] = path.replace(/^data\./, '').split(/[.[]/);
    return isEventType(eventType) && fieldSpecs(eventType).some(({ name }) => name === root);
  };
  return new Set(fields.filter(isOfSchema).map(({ eventType }) => eventType));
}

async function readLines(
  lines: readonly Line[],
  { firstLine }: LineChunk,
  { name: sourceName, unit }: LineSource,
  { limits, vault, personalKeys }: IngestServices,
  now: Instant,
): Promise<ReadLines> {
  const rules = {
    now,
    futureSkewMs: limits.futureSkewSeconds * 1000,
    maxEventBytes: limits.eventBytes,
    tokeniser: await tokeniserFor(
      vault,
      lines.map(({ bytes }) => bytes),
    ),
    personalKeys: await personalKeys(),
  };
  const accepted: AcceptedEvent[] = [];
  const placed: PlacedEvent[] = [];
  const refusals: Refusal[] = [];
  for (const { ordinal, bytes } of lines) {
    const read = readEventBytes(bytes, rules);
    if (read.ok) {
      accepted.push(read);
      placed.push({ ordinal: BigInt(ordinal), event: read.event });
    } else {
      const sourcePosition = `${unit} ${firstLine + ordinal}`;
      refusals.push({ raw: bytes, sourceName, sourcePosition, problems: read.problems });
    }
  }
  return { accepted, placed, refusals };
}

function fullDisk(error: unknown, file: string): UnavailableError | null {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'ENOSPC' && code !== 'EFBIG' && code !== 'EDQUOT') return null;
  return new UnavailableError(
    'disk_full',
    `file ingest: the disk is full (writing ${file}); free some space and ingest the file again: ` +
      'what was taken in stays, and nothing will count twice',
    { cause: error },
  );
}
