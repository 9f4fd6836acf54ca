import { z } from 'zod';
import { InputError } from '../../core/errors.js';
import type { Instant } from '../../core/time.js';
import type { BulkSession, BulkWarehouse } from '../../platform/warehouse/bulk-warehouse.js';
import type { Warehouse } from '../../platform/warehouse/warehouse.js';
import type { ChunkLog } from './chunk-log.js';
import { openFileBytes, type FileBytes } from './file-bytes.js';
import { reportOfNothing, withChunk, type FileReport } from './file-report.js';
import { cutAtLines, type KnownEnds, type LineChunk } from './line-chunks.js';
import { commitChunk, logChunk, siftChunk, type ChunkServices, type SiftedChunk } from './ndjson-chunk.js';
import { prefetched } from './prefetched.js';

export interface FileServices extends Omit<ChunkServices, 'minimumBulkLines'> {
  readonly warehouse: Warehouse;
  /** An engine in this process that reads files itself; null where events go over a network. */
  readonly bulk: BulkWarehouse | null;
  readonly chunkLog: ChunkLog;
}

export interface FileProgress {
  /** Of the file as it lies on disk. */
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly accepted: number;
  readonly quarantined: number;
}

export interface FileOptions {
  readonly onProgress?: (progress: FileProgress) => void;
  /** Memory stays at a few times this. */
  readonly chunkBytes?: number;
  readonly minimumBulkLines?: number;
}

const CHUNK_BYTES = 32 << 20;
/** Where every line goes through JavaScript, its events are in memory, too. */
const LOGGED_CHUNK_BYTES = 4 << 20;
const MINIMUM_BULK_LINES = 200;
const OVERLONG_HEAD_BYTES = 64 << 10;

const ChunkEnd = z.object({ chain_digest: z.string(), offset_bytes: z.bigint() });

/**
 * Takes in an NDJSON file, plain or packed, chunk by chunk. Each chunk is durable before the next begins, so a killed
 * ingest goes on where it stopped, the same file again appends nothing, and of a file that grew only what is new.
 *
 * @throws InputError when the file is not what its name says, or breaks off; what precedes was taken in
 * @throws UnavailableError when the disk is full; ingest the file again when there is space
 */
export async function ingestNdjsonFile(
  path: string,
  services: FileServices,
  options: FileOptions,
  now: Instant,
): Promise<FileReport> {
  return ingestLines(await openFileBytes(path), services, options, now);
}

/** The same, of whatever gives its rows as lines of NDJSON. Closes it. */
export async function ingestLines(
  file: FileBytes,
  services: FileServices,
  options: FileOptions,
  now: Instant,
): Promise<FileReport> {
  const { bulk } = services;
  const usualBytes = bulk === null ? LOGGED_CHUNK_BYTES : CHUNK_BYTES;
  try {
    const chunks = cutAtLines(checkedLines(file), {
      // A line that is allowed fits into a chunk.
      chunkBytes: options.chunkBytes ?? Math.max(usualBytes, 2 * services.limits.eventBytes),
      overlongHeadBytes: OVERLONG_HEAD_BYTES,
      known: await knownEnds(services.warehouse),
      seed: '',
    });
    if (bulk === null) return await logChunks(file, chunks, services, options, now);
    const chunkServices = {
      ...services,
      minimumBulkLines: options.minimumBulkLines ?? MINIMUM_BULK_LINES,
    };
    return await bulk.bulk((one) =>
      bulk.bulk((other) => new ChunkPipeline(file, [one, other], chunkServices, options, now).run(chunks)),
    );
  } finally {
    await file.close();
  }
}

/** Chunks in order, each through the log; the next is read meanwhile. */
async function logChunks(
  file: FileBytes,
  chunks: AsyncIterable<LineChunk>,
  services: FileServices,
  { onProgress }: FileOptions,
  now: Instant,
): Promise<FileReport> {
  let report = reportOfNothing(file);
  for await (const chunk of prefetched(chunks)) {
    report = withChunk(report, await logChunk(chunk, file, services, now));
    onProgress?.({ doneBytes: file.positionBytes(), totalBytes: file.sizeBytes, ...report });
  }
  onProgress?.({ doneBytes: file.sizeBytes, totalBytes: file.sizeBytes, ...report });
  return report;
}

/**
 * Chunks in order, in two steps at a time: while the rows of one are written, the engine already looks at the next.
 * One session would leave a core idle, since each step has stretches that only one thread can do.
 */
class ChunkPipeline {
  private report: FileReport;
  private committing: Promise<void> = Promise.resolve();

  constructor(
    private readonly file: FileBytes,
    private readonly sessions: readonly [BulkSession, BulkSession],
    private readonly services: ChunkServices,
    private readonly options: FileOptions,
    private readonly now: Instant,
  ) {
    this.report = reportOfNothing(file);
  }

  async run(chunks: AsyncIterable<LineChunk>): Promise<FileReport> {
    try {
      let turn = 0;
      for await (const chunk of prefetched(chunks)) {
        // This session's last commit is over: the one of the chunk in between has waited for it.
        const session = this.sessions[turn % 2 === 0 ? 0 : 1];
        turn += 1;
        const sifted = await siftChunk(chunk, session, this.services, this.now);
        await this.committing;
        this.committing = this.commit(sifted, session);
        // Looked at before the next commit; until then its failure must not end the process.
        this.committing.catch(() => undefined);
      }
    } finally {
      // What is being written is written, and counted, also when the file breaks off behind it.
      await this.committing;
    }
    this.tell(this.file.sizeBytes);
    return this.report;
  }

  private async commit(sifted: SiftedChunk, session: BulkSession): Promise<void> {
    const outcome = await commitChunk(sifted, this.file, session, this.services, this.now);
    this.report = withChunk(this.report, outcome);
    this.tell(Math.min(this.file.positionBytes(), this.file.sizeBytes));
  }

  private tell(doneBytes: number): void {
    this.options.onProgress?.({ doneBytes, totalBytes: this.file.sizeBytes, ...this.report });
  }
}

/** One JSON array over many lines would otherwise become one bad event for each of them. */
async function* checkedLines(file: FileBytes): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const piece of file.pieces) {
    if (isFirst && /^\s*\[/.test(Buffer.from(piece.subarray(0, 1000)).toString('latin1'))) {
      throw new InputError(
        'unsupported_format',
        `file ${file.name}: holds a JSON array, and NDJSON is one event on each line; ` +
          `convert it with: jq -c '.[]' ${file.name} > events.ndjson`,
      );
    }
    isFirst = false;
    yield piece;
  }
}

/** Where chunks of any file ended. Names say nothing: the digest tells whether the bytes are the same. */
export async function knownEnds(warehouse: Warehouse): Promise<KnownEnds> {
  const rows = await warehouse.query('SELECT chain_digest, offset_bytes FROM ingest_chunks', {}, ChunkEnd);
  const ends = new Map<number, Set<string>>();
  for (const { chain_digest: digest, offset_bytes: offset } of rows) {
    const digests = ends.get(Number(offset)) ?? new Set<string>();
    ends.set(Number(offset), digests.add(digest));
  }
  return ends;
}
