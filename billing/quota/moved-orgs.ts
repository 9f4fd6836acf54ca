import { z } from 'zod';
import { watermarkJson, type Stream, type WatermarkVector } from '../../core/raw-event.js';
import { renderMacro } from '../../platform/warehouse/render-macros.js';
import type { RunReader } from '../../platform/warehouse/warehouse.js';
import { METERED_STREAMS } from './live-reader.js';
import type { LiveSources } from './live-usage.js';

const Row = z.object({ subject: z.string() });

/** Whom something came in for. */
export interface MovedOrgs {
  /** In a stream that meters read. */
  readonly usage: ReadonlySet<string>;
  readonly billing: ReadonlySet<string>;
}

/** Orgs that anything came in for between two positions of the log. */
export async function movedOrgs(
  { withRun, warehouse }: Pick<LiveSources, 'withRun' | 'warehouse'>,
  after: WatermarkVector,
  until: WatermarkVector,
): Promise<MovedOrgs> {
  const [from, to] = [watermarkJson(after), watermarkJson(until)];
  const subjectsOf = async (reader: RunReader, stream: Stream): Promise<string[]> => {
    if (JSON.stringify(from[stream]) === JSON.stringify(to[stream])) return [];
    const arrived = renderMacro('beyond_watermark(after)', reader.dialect, { after: from[stream] });
    const counted = renderMacro("within_watermark(until, {'any': 1})", reader.dialect, { until: to[stream] });
    const rows = await reader.query(
      `select distinct subject from ${warehouse.rawRows(stream)} as arrivals where ${arrived} and ${counted}`,
      {},
      Row,
    );
    return rows.map(({ subject }) => subject);
  };
  return withRun(async ({ reader }) => {
    const usage = new Set<string>();
    for (const stream of METERED_STREAMS) {
      for (const subject of await subjectsOf(reader, stream)) usage.add(subject);
    }
    return { usage, billing: new Set(await subjectsOf(reader, 'billing')) };
  });
}
