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

/** An instant that the warehouse gave as text already. */
export const InstantText = z.string().openapi({ type: 'string', format: 'date-time' });

export const DateArgument = z.iso.date().openapi({ example: '2026-09-01' });

/** A calendar month; the first of it will do too. Inside it is the month's first day, as marts have it. */
export const MonthArgument = z
  .string()
  .regex(/^\d{4}-(0[1-9]|1[0-2])(-01)?$/, 'write a month as 2026-09')
  .transform((text) => `${text.slice(0, 7)}-01`)
  .openapi({ type: 'string', example: '2026-09' });

/** An id that somebody else gave: of an org, a lead, a partner. */
export const ForeignId = z.string().min(1).max(200);

/** `true` or `false` in a query. */
export const Flag = z
  .enum(['true', 'false'])
  .transform((text) => text === 'true')
  .openapi({ type: 'boolean' });

/** A 64-bit integer as digits: money in minor units, counts that may outgrow a double. */
export const Digits = z
  .union([z.bigint(), z.string().regex(/^-?\d+$/)])
  .transform(String)
  .openapi({ type: 'string', pattern: '^-?\\d+$' });

/** A count, or points: a 64-bit integer in the warehouse, but never one that a double could not hold. */
export const Count = z
  .union([z.bigint(), z.int()])
  .transform(Number)
  .pipe(z.int())
  .openapi({ type: 'integer' });

export const Limit = (most: number, usual: number) =>
  z.coerce
    .number()
    .int()
    .min(1)
    .max(most)
    .default(usual)
    .openapi({ type: 'integer', minimum: 1, maximum: most, default: usual });

/** An opaque place in a list: what `next_cursor` of the page before said. */
export const Cursor = z.string().min(1).max(2000);

/** What every page of a list ends with. */
export const NextCursor = z.string().nullable().openapi({ description: 'null on the last page' });
