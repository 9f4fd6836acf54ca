import { expect } from 'vitest';
import { z } from 'zod';
import type { ApiTestBed } from './api-test-bed.js';

export const NextPage = z.looseObject({ next_cursor: z.string().nullable() });

/** A whole list, page by page; fails when it does not end. */
export async function readAll(
  bed: ApiTestBed,
  path: string,
  field: string,
  limit: number,
): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < 50; page += 1) {
    const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const answer = await bed.call({ path: `${path}${path.includes('?') ? '&' : '?'}limit=${limit}${query}` });
    expect(answer.status).toBe(200);
    const found = answer.as(NextPage);
    rows.push(...z.array(z.record(z.string(), z.unknown())).parse(found[field]));
    if (found.next_cursor === null) return rows;
    cursor = found.next_cursor;
  }
  throw new Error(`${path} does not end`);
}
