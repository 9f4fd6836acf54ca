import { z } from 'zod';
import { watermarkJson, type Stream, type WatermarkVector } from '../../core/raw-event.js';
import { renderMacro } from '../../platform/warehouse/render-macros.js';
import type { LiveSources } from './live-usage.js';

const Row = z.object({ subject: z.string() });

/** Orgs that anything came in for between two positions of the log, by the stream it came in. */
export async function movedOrgs(
  { withRun, warehouse }: Pick<LiveSources, 'withRun' | 'warehouse'>,
  after: WatermarkVector,
  until: WatermarkVector,
): Promise<{ readonly executions: ReadonlySet<string>; readonly billing: ReadonlySet<string> }> {
  return withRun(async ({ reader }) => {
    const subjectsOf = async (stream: Stream): Promise<Set<string>> => {
      const arrived = renderMacro('beyond_watermark(after)', reader.dialect, {
        after: watermarkJson(after)[stream],
      });
      const counted = renderMacro("within_watermark(until, {'any': 1})", reader.dialect, {
        until: watermarkJson(until)[stream],
      });
      const rows = await reader.query(
        `select distinct subject from ${warehouse.rawRows(stream)} as arrivals where ${arrived} and ${counted}`,
        {},
        Row,
      );
      return new Set(rows.map(({ subject }) => subject));
    };
    return { executions: await subjectsOf('executions'), billing: await subjectsOf('billing') };
  });
}
