import { z } from '@hono/zod-openapi';
import type { Conflict } from '../../ingest/conflicts.js';
import { Digits, InstantAnswer } from '../shapes.js';

const Position = z.object({ partition: z.int(), offset: Digits });

/** One identity that came with two contents. Until somebody decides, the first in the log stands. */
export const ConflictShape = z
  .object({
    conflict_id: z.string(),
    stream: z.string(),
    source: z.string(),
    event_id: z.string(),
    first: Position,
    other: Position,
    status: z.enum(['open', 'decided']),
    decision: z.enum(['first', 'other']).nullable(),
    decided_by: z.string().nullable(),
    decided_at: InstantAnswer.nullable(),
    found_at: InstantAnswer,
  })
  .openapi('Conflict');

export function conflictShape(conflict: Conflict): z.input<typeof ConflictShape> {
  return {
    conflict_id: conflict.conflictId,
    stream: conflict.stream,
    source: conflict.source,
    event_id: conflict.eventId,
    first: { partition: conflict.firstPartition, offset: conflict.firstOffset },
    other: { partition: conflict.otherPartition, offset: conflict.otherOffset },
    status: conflict.status,
    decision: conflict.decision,
    decided_by: conflict.decidedBy,
    decided_at: conflict.decidedAt,
    found_at: conflict.foundAt,
  };
}
