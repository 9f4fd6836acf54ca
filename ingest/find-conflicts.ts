import { z } from 'zod';
import { contentDigest } from '../core/identity.js';
import { STREAMS, type LogPosition, type Stream, type WatermarkVector } from '../core/raw-event.js';
import { parseInstant } from '../core/time.js';
import { rawTable } from '../platform/warehouse/raw-tables.js';
import { upToPositions } from '../platform/warehouse/up-to-positions.js';
import type { Warehouse } from '../platform/warehouse/warehouse.js';
import { sha256 } from '../platform/sha256.js';

/** An event that came with the identity of an earlier one and other content. */
export interface FoundConflict {
  readonly stream: Stream;
  readonly identity: string;
  readonly source: string;
  readonly eventId: string;
  /** The arrival that stands as long as nobody decides: the one that was recorded first. */
  readonly first: LogPosition;
  readonly other: LogPosition;
}

/** What was found of an identity before: which arrival stands, and which ones are reported against it. */
export interface KnownConflicts {
  readonly first: LogPosition;
  readonly others: readonly LogPosition[];
}
export type FindKnown = (stream: Stream, identity: string) => Promise<KnownConflicts | null>;

const Arrival = z.object({
  identity: z.string(),
  log_partition: z.number(),
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
/** What one pass over one stream looks at: arrivals above `from` and up to `to`. */
interface Range {
  readonly stream: Stream;
  readonly from: readonly LogPosition[];
  readonly to: readonly LogPosition[];
}

/**
 * Looks at every identity of which something arrived above `from` and up to `to`. Equal hashes settle nearly all
 * copies in the engine; only where hashes differ are contents compared in canonical form (key order and 1.0 for 1
 * make no conflict).
 *
 * @param findKnown asked for each identity with two hashes: which arrival stands is kept, whatever comes later
 */
export async function* findConflicts(
  warehouse: Warehouse,
  { from, to }: { from: WatermarkVector | null; to: WatermarkVector },
  findKnown: FindKnown,
): AsyncGenerator<FoundConflict> {
  for (const stream of STREAMS) {
    const range = { stream, from: from?.[stream] ?? [], to: to[stream] };
    if (range.to.length === 0) continue;
    for (let part = 0; part < PARTS; part += 1) {
      for await (const arrivals of arrivalsByIdentity(warehouse, range, part)) {
        yield* await conflictsAmong(range, arrivals, findKnown);
      }
    }
  }
}

/** All arrivals of an identity at once, in the order in which they were recorded. */
async function* arrivalsByIdentity(
  warehouse: Warehouse,
  range: Range,
  part: number,
): AsyncGenerator<[Arrival, ...Arrival[]]> {
  let arrivals: [Arrival, ...Arrival[]] | null = null;
  for await (const batch of warehouse.stream(arrivalsSql(range), digits(part), Arrival)) {
    for (const arrival of batch) {
      if (arrivals?.[0].identity === arrival.identity) arrivals.push(arrival);
      else {
        if (arrivals !== null) yield arrivals;
        arrivals = [arrival];
      }
    }
  }
  if (arrivals !== null) yield arrivals;
}

/**
 * All arrivals of identities that have two hashes and something new. It reads the tables as they are: where a consumer wrote the same
 * messages twice, they are alike. Partitions have no order between them (with another subject, a conflicting event lies on another
 * one), so it is the time of recording that tells what came first; within one append of an embedded log, the position.
 */
function arrivalsSql({ stream, from, to }: Range): string {
  const isInPart = `identity >= $low AND identity < $high`;
  const isUpTo = upToPositions(to);
  const isFresh = `${isUpTo} AND NOT ${upToPositions(from)}`;
  return `
    WITH fresh AS (
      SELECT DISTINCT identity FROM ${rawTable(stream)} WHERE ${isFresh} AND ${isInPart}
    ),
    differing AS (
      SELECT identity FROM ${rawTable(stream)}
      WHERE identity IN (SELECT identity FROM fresh) AND ${isUpTo} AND ${isInPart}
      GROUP BY identity HAVING min(raw_hash) <> max(raw_hash)
    )
    SELECT identity, log_partition, log_offset, source, id, type, subject, time, data
    FROM ${rawTable(stream)}
    WHERE identity IN (SELECT identity FROM differing) AND ${isUpTo} AND ${isInPart}
    ORDER BY identity, recorded_at, log_partition, log_offset`;
}

/** Hexadecimal texts from `low` up to, not including, `high`; 'g' is above them all. */
function digits(part: number): { low: string; high: string } {
  const width = HEX_DIGITS / PARTS;
  const end = (part + 1) * width;
  return { low: (part * width).toString(16), high: end === HEX_DIGITS ? 'g' : end.toString(16) };
}

/**
 * One conflict for each content that nobody reported yet, at the place in the log where it was first recorded. The arrival that stood
 * so far goes on standing: an earlier run has measured it. Of equal copies that was the first in the log.
 */
async function conflictsAmong(
  { stream, from }: Range,
  arrivals: readonly [Arrival, ...Arrival[]],
  findKnown: FindKnown,
): Promise<FoundConflict[]> {
  const known = await findKnown(stream, arrivals[0].identity);
  const old = arrivals.filter((arrival) => from.some((position) => isUpTo(arrival, position)));
  const at = (position: LogPosition | undefined): Arrival | undefined =>
    arrivals.find((arrival) => isAt(arrival, position));
  const first = at(known?.first) ?? old.sort(byPosition)[0] ?? arrivals[0];
  const reported = [first, ...old, ...(known?.others ?? []).flatMap((position) => at(position) ?? [])];
  const seen = new Set(reported.map(digestOf));
  const found: FoundConflict[] = [];
  for (const other of arrivals) {
    const digest = digestOf(other);
    if (seen.has(digest)) continue;
    seen.add(digest);
    found.push({
      stream,
      identity: first.identity,
      source: first.source,
      eventId: first.id,
      first: positionOf(first),
      other: positionOf(other),
    });
  }
  return found;
}

function isUpTo(arrival: Arrival, { partition, offset }: LogPosition): boolean {
  return arrival.log_partition === partition && arrival.log_offset <= offset;
}

function isAt(arrival: Arrival, position: LogPosition | undefined): boolean {
  return arrival.log_partition === position?.partition && arrival.log_offset === position.offset;
}

function byPosition(a: Arrival, b: Arrival): number {
  return a.log_partition - b.log_partition || Number(a.log_offset - b.log_offset);
}

function positionOf({ log_partition: partition, log_offset: offset }: Arrival): LogPosition {
  return { partition, offset };
}

function digestOf({ type, subject, time, data }: Arrival): string {
  return contentDigest(sha256, { type, subject, timeMicros: parseInstant(time), data });
}
