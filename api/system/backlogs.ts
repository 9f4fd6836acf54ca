import { z } from 'zod';
import { STREAMS, type Stream, type WatermarkVector } from '../../core/raw-event.js';
import { rawTable } from '../../platform/warehouse/raw-tables.js';
import { upToPositions } from '../../platform/warehouse/up-to-positions.js';
import type { Warehouse } from '../../platform/warehouse/warehouse.js';

const Row = z.object({ rows: z.bigint(), behind: z.bigint(), last_recorded_at: z.string().nullable() });

/**
 * What each stream holds, and what of it the run that serves has not seen. These are rows as they lie there: where a consumer wrote
 * the same messages twice, both are counted, for to tell them apart every row would have to be read.
 *
 * @param measured what the run is bound to; null without a run
 */
export async function backlogs(warehouse: Warehouse, measured: WatermarkVector | null) {
  const backlogOf = async (stream: Stream) => {
    const [row] = await warehouse.query(
      `SELECT count(*) AS rows, count(*) FILTER (WHERE NOT ${upToPositions(measured?.[stream] ?? [])}) AS behind,
         max(recorded_at) AS last_recorded_at
       FROM ${rawTable(stream)}`,
      {},
      Row,
    );
    return { stream, rows: 0n, behind: 0n, last_recorded_at: null, ...row };
  };
  return Promise.all(STREAMS.map(backlogOf));
}
