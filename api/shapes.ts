import { z } from '@hono/zod-openapi';
import { formatInstant, parseInstant } from '../core/time.js';

/** RFC 3339 with an offset, as the API takes it; inside it is microseconds. */
export const InstantArgument = z
  .string()
  .max(40)
  .transform((text, context) => {
    try {
      return parseInstant(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'write an instant as 2026-10-01T00:00:00Z' });
      return z.NEVER;
    }
  })
  .openapi({ type: 'string', format: 'date-time' });

/** An instant as the API gives it. */
export const InstantAnswer = z
  .bigint()
  .transform(formatInstant)
  .openapi({ type: 'string', format: 'date-time' });

export const DateArgument = z.iso.date().openapi({ example: '2026-09-01' });

/** A 64-bit integer as digits: money in minor units, counts that may outgrow a double. */
export const Digits = z
  .union([z.bigint(), z.string().regex(/^-?\d+$/)])
  .transform(String)
  .openapi({ type: 'string', pattern: '^-?\\d+$' });

export const Limit = (most: number, usual: number) => z.coerce.number().int().min(1).max(most).default(usual);

/** An opaque place in a list: what `next_cursor` of the page before said. */
export const Cursor = z.string().min(1).max(500);
