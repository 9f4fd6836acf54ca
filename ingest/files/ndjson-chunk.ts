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
import type { LineChunk } from './line-chunks.js';
import { isBlank, pickLines, separateUnsafeLines, type Line } from './safe-lines.js';

export interface ChunkServices extends IngestServices {
  /** For what the engine reads; emptied after each chunk. */
  readonly temporaryDirectory: string;
  /** Below so many lines of a type in a chunk, zod is quicker than planning a statement. */
  readonly minimumBulkLines: number;
}

export interface ChunkOutcome {
  readonly accepted: number;
  /** Of the accepted: validated by the engine, without JavaScript. */
  readonly byEngine: number;
  readonly quarantined: number;
}

/** What JavaScript made of the lines that the engine was not sure of. */
interface ReadLines {
  readonly accepted: readonly AcceptedEvent[];
  readonly placed: readonly PlacedEvent[];
  readonly refusals: readonly Refusal[];
}

/**
 * Takes in one chunk of NDJSON: the engine validates what it is sure of, zod everything else, and the rows of both
 * commit in one transaction with the chunk's digest. Values for the vault and bad lines are durable before that;
 * a retry after a crash finds them there.
 */
export async function ingestChunk(
  chunk: LineChunk,
  sourceName: string,
  session: BulkSession,
  services: ChunkServices,
  now: Instant,
): Promise<ChunkOutcome> {
  const { safe, unsafe } = separateUnsafeLines(chunk.bytes, services.limits.eventBytes);
  const personalKeys = services.personalKeys();
  const sifted = await siftBytes(safe, chunk.chainDigest, session, services, personalKeys, now);
  const others = [...pickLines(safe, sifted.unsureOrdinals), ...unsafe]
    .filter(({ bytes }) => !isBlank(bytes))
    .sort((a, b) => a.ordinal - b.ordinal);
  const read = await readLines(others, chunk, sourceName, services, personalKeys, now);
  return appendChunk(chunk, sourceName, session, services, { sifted, read }, now);
}

/** A line longer than a chunk was never held whole: its beginning is what quarantine keeps. */
export function ingestOverlong(
  chunk: LineChunk,
  lengthBytes: number,
  sourceName: string,
  session: BulkSession,
  services: ChunkServices,
  now: Instant,
): Promise<ChunkOutcome> {
  const { problems } = tooLarge(lengthBytes, services.limits.eventBytes);
  const refusal = { raw: chunk.bytes, sourceName, sourcePosition: `line ${chunk.firstLine}`, problems };
  const sifted = { selections: [], sureRows: 0, unsureOrdinals: [] };
  const read = { accepted: [], placed: [], refusals: [refusal] };
  return appendChunk(chunk, sourceName, session, services, { sifted, read }, now);
}

async function siftBytes(
  safe: Buffer,
  name: string,
  session: BulkSession,
  { limits, temporaryDirectory, minimumBulkLines }: ChunkServices,
  personalKeys: PersonalKeys,
  now: Instant,
): Promise<SiftedLines> {
  const linesFile = join(temporaryDirectory, `lines-${name}.ndjson`);
  try {
    await writeFile(linesFile, safe);
    return await siftLines(session, linesFile, {
      minimumLines: minimumBulkLines,
      maxLineBytes: limits.eventBytes,
      excludedTypes: typesWithPersonalFields(personalKeys),
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
  sourceName: string,
  { limits, vault }: ChunkServices,
  personalKeys: PersonalKeys,
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
    personalKeys,
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
      const sourcePosition = `line ${firstLine + ordinal}`;
      refusals.push({ raw: bytes, sourceName, sourcePosition, problems: read.problems });
    }
  }
  return { accepted, placed, refusals };
}

async function appendChunk(
  { chainDigest, lineCount, endOffset }: LineChunk,
  sourceName: string,
  session: BulkSession,
  { vault, quarantine }: ChunkServices,
  { sifted, read }: { sifted: SiftedLines; read: ReadLines },
  now: Instant,
): Promise<ChunkOutcome> {
  await keepPersonalValues(read.accepted, vault, now);
  if (read.refusals.length > 0) await quarantine.put(read.refusals, now);
  const accepted = sifted.sureRows + read.placed.length;
  await session.append({
    ordinalSpan: BigInt(lineCount),
    selections: sifted.selections,
    events: read.placed,
    chunk: { chainDigest, sourceName, offsetBytes: BigInt(endOffset), rows: BigInt(accepted) },
    recordedAtMicros: now,
  });
  return { accepted, byEngine: sifted.sureRows, quarantined: read.refusals.length };
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
