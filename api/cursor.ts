import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { InputError } from '../core/errors.js';

/**
 * A place in a list, as text that callers hand back unread.
 *
 * It carries a check value over itself and the question (`list`: which list, with which filters), so that a cursor that was cut,
 * changed or taken to another list is refused instead of quietly starting somewhere else. The check is against mistakes and needs
 * no secret: a cursor holds no right to anything, and its values are bound as parameters like any other.
 */
export function sealCursor(list: string, place: readonly (string | null)[]): string {
  const content = Buffer.from(JSON.stringify(place)).toString('base64url');
  return `${content}.${checkOf(list, content)}`;
}

/** @throws InputError `invalid_cursor` */
export function openCursor<Place>(list: string, cursor: string, place: z.ZodType<Place>): Place {
  const [content = '', check = '', ...rest] = cursor.split('.');
  if (rest.length === 0 && check === checkOf(list, content)) {
    const parsed = place.safeParse(JSON.parse(Buffer.from(content, 'base64url').toString('utf8')));
    if (parsed.success) return parsed.data;
  }
  throw new InputError(
    'invalid_cursor',
    'the cursor is not what next_cursor of this list, with these filters, said; leave it out to start over',
  );
}

function checkOf(list: string, content: string): string {
  return createHash('sha256')
    .update(JSON.stringify([list, content]))
    .digest('base64url')
    .slice(0, 16);
}
