import type { Instant } from '../../core/time.js';
import { keepPersonalValues, type IngestServices } from '../pipeline.js';
import type { Refusal } from '../quarantine-store.js';
import type { AcceptedEvent } from '../read-event.js';
import type { ChunkLog } from './chunk-log.js';
import type { ChunkCounts } from './file-report.js';
import type { LineChunk } from './line-chunks.js';

/** What JavaScript made of a chunk's lines. */
export interface ReadChunk {
  readonly accepted: readonly AcceptedEvent[];
  readonly refusals: readonly Refusal[];
}

/** The same order as everywhere: vault, quarantine, then the events with the note that the chunk has been taken in. */
export async function storeChunk(
  { accepted, refusals }: ReadChunk,
  { chainDigest, endOffset }: LineChunk,
  sourceName: string,
  services: IngestServices & { readonly chunkLog: ChunkLog },
  now: Instant,
): Promise<ChunkCounts> {
  await keepPersonalValues(accepted, services.vault, now);
  if (refusals.length > 0) await services.quarantine.put(refusals, now);
  const events = accepted.map(({ event }) => event);
  const rows = BigInt(events.length);
  await services.chunkLog.append(
    events,
    { chainDigest, sourceName, offsetBytes: BigInt(endOffset), rows },
    now,
  );
  return { accepted: events.length, byEngine: 0, quarantined: refusals.length };
}
