import { z } from '@hono/zod-openapi';
import type { OverageLine } from '../../billing/overage-plan.js';
import { compareText } from '../../core/compare.js';
import { openCursor, sealCursor } from '../cursor.js';

const Place = z.tuple([z.string(), z.string(), z.string()]);

/** Where a page of lines begins: all pages are of the run that the first was read from. */
export interface LinePlace {
  /** Undefined: it is the first. */
  readonly runId: string | undefined;
  readonly after: readonly [orgId: string, lineId: string] | null;
}

/** @throws InputError `invalid_cursor` */
export function openLinePlace(name: string, cursor: string | undefined): LinePlace {
  if (cursor === undefined) return { runId: undefined, after: null };
  const [runId, ...after] = openCursor(name, cursor, Place);
  return { runId, after };
}

/** Lines come by org and id: those after a place, and the cursor of the page that follows. */
export function pageOfLines(
  lines: readonly OverageLine[],
  after: LinePlace['after'],
  { name, runId, limit }: { readonly name: string; readonly runId: string; readonly limit: number },
): { readonly page: readonly OverageLine[]; readonly nextCursor: string | null } {
  const rest =
    after === null
      ? lines
      : lines.filter((line) => (compareText(line.orgId, after[0]) || compareText(line.lineId, after[1])) > 0);
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  const hasMore = rest.length > page.length && last !== undefined;
  return { page, nextCursor: hasMore ? sealCursor(name, [runId, last.orgId, last.lineId]) : null };
}
