import { createHash } from 'node:crypto';
import { z } from 'zod';
import { contentDigest } from '../core/identity.js';
import { STREAMS, type Stream, type WatermarkVector } from '../core/raw-event.js';
import { parseInstant } from '../core/time.js';
import type { Warehouse } from '../platform/warehouse/warehouse.js';

/** An event that came with the identity of an earlier one and other content. */
export interface FoundConflict {
  readonly stream: Stream;
  readonly identity: string;
  readonly source: string;
  readonly eventId: string;
  readonly firstOffset: bigint;
  readonly otherOffset: bigint;
}

const Arrival = z.object({
  identity: z.string(),
  log_offset: z.bigint(),
  source: z.string(),
  id: z.string(),
  type: z.string(),
  subject: z.string(),
  time: z.string(),
  data: z.string(),
});
type Arrival = z.infer<typeof Arrival>;

/** Identities are looked through in so many parts, to bound what the engine holds of ten million of them. */
const PARTS = 8;
const HEX_DIGITS = 16;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * Looks at every identity of which something arrived above `from` and up to `to`. Equal hashes settle nearly all
 * copies in the engine; only where hashes differ are contents compared in canonical form (key order and 1.0 for 1
 * make no conflict).
 */
export async function* findConflicts(
  warehouse: Warehouse,
  from: WatermarkVector | null,
  to: WatermarkVector,
): AsyncGenerator<FoundConflict> {
  for (const stream of STREAMS) {
    const last = to[stream][0]?.offset;
    if (last === undefined) continue;
    const first = from?.[stream][0]?.offset ?? -1n;
    for (let part = 0; part < PARTS; part += 1) {
      yield* conflictsOfPart(warehouse, stream, { first, last, part });
    }
  }
}

async function* conflictsOfPart(
  warehouse: Warehouse,
  stream: Stream,
  { first, last, part }: { first: bigint; last: bigint; part: number },
): AsyncGenerator<FoundConflict> {
  let arrivals: Arrival[] = [];
  for await (const batch of warehouse.stream(
    arrivalsSql(stream),
    { first, last, ...digits(part) },
    Arrival,
  )) {
    for (const arrival of batch) {
      if (arrivals[0] && arrivals[0].identity !== arrival.identity) {
        yield* conflictsAmong(stream, arrivals, first);
        arrivals = [];
      }
      arrivals.push(arrival);
    }
  }
  yield* conflictsAmong(stream, arrivals, first);
}

/** All arrivals of identities that have two hashes and something new, by identity and position. */
function arrivalsSql(stream: Stream): string {
  const isInPart = `identity[1] BETWEEN $low AND $high`;
  return `
    WITH fresh AS (
      SELECT DISTINCT identity FROM raw_${stream}
      WHERE log_offset > $first AND log_offset <= $last AND ${isInPart}
    ),
    differing AS (
      SELECT identity FROM raw_${stream} SEMI JOIN fresh USING (identity)
      WHERE log_offset <= $last AND ${isInPart}
      GROUP BY identity HAVING min(raw_hash) <> max(raw_hash)
    )
    SELECT identity, log_offset, source, id, type, subject, time, data
    FROM raw_${stream} SEMI JOIN differing USING (identity)
    WHERE log_offset <= $last
    ORDER BY identity, log_offset`;
}

function digits(part: number): { low: string; high: string } {
  const width = HEX_DIGITS / PARTS;
  return { low: (part * width).toString(16), high: (part * width + width - 1).toString(16) };
}

/** One conflict for each content other than the first's, at the place where it was first seen. */
function* conflictsAmong(
  stream: Stream,
  arrivals: readonly Arrival[],
  from: bigint,
): Generator<FoundConflict> {
  const [first, ...others] = arrivals;
  if (!first) return;
  const seen = new Set([digestOf(first)]);
  for (const other of others) {
    const digest = digestOf(other);
    if (seen.has(digest)) continue;
    seen.add(digest);
    if (other.log_offset <= from) continue;
    yield {
      stream,
      identity: first.identity,
      source: first.source,
      eventId: first.id,
      firstOffset: first.log_offset,
      otherOffset: other.log_offset,
    };
  }
}

function digestOf({ type, subject, time, data }: Arrival): string {
  return contentDigest(sha256, { type, subject, timeMicros: parseInstant(time), data });
}
