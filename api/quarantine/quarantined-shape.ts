import { isUtf8 } from 'node:buffer';
import { z } from '@hono/zod-openapi';
import { QUARANTINE_STATUSES, type QuarantinedEvent } from '../../ingest/quarantine-store.js';
import { InstantAnswer } from '../shapes.js';

/** An event that did not pass. Its bytes are shown one by one only: they may hold personal data. */
export const Quarantined = z
  .object({
    quarantine_id: z.string(),
    status: z.enum(QUARANTINE_STATUSES),
    reason: z.string(),
    path: z.string(),
    message: z.string(),
    source_name: z.string(),
    source_position: z.string(),
    count: z.int(),
    first_seen_at: InstantAnswer,
    last_seen_at: InstantAnswer,
    resolved_at: InstantAnswer.nullable(),
    resolved_by: z.string().nullable(),
  })
  .openapi('Quarantined');

export function quarantinedShape(event: QuarantinedEvent): z.input<typeof Quarantined> {
  return {
    quarantine_id: event.quarantineId,
    status: event.status,
    reason: event.reason,
    path: event.path,
    message: event.message,
    source_name: event.sourceName,
    source_position: event.sourcePosition,
    count: event.count,
    first_seen_at: event.firstSeenAt,
    last_seen_at: event.lastSeenAt,
    resolved_at: event.resolvedAt,
    resolved_by: event.resolvedBy,
  };
}

/** The bytes as text where they are text, else in base64. */
export const RawBytes = z.object({ encoding: z.enum(['utf-8', 'base64']), content: z.string() });

export function rawBytes(bytes: Uint8Array): z.input<typeof RawBytes> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isUtf8(buffer)
    ? { encoding: 'utf-8', content: buffer.toString('utf8') }
    : { encoding: 'base64', content: buffer.toString('base64') };
}

export const QuarantineId = z
  .string()
  .max(80)
  .regex(/^qrn_[0-9a-f]+$/, 'an id from the list, like qrn_…');
