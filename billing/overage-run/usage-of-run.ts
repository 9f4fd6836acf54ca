import type { WatermarkVector } from '../../core/raw-event.js';
import type { Instant } from '../../core/time.js';
import type { RunReader } from '../../platform/warehouse/warehouse.js';
import { Purse } from '../adjustments/credits.js';
import { catalogVersions } from '../catalog-versions.js';
import { ratedLines, type OverageRequest } from '../preview-overage.js';
import type { RatedUsage } from './overage-run.js';

/** What a run rates for the periods asked about, credits paid from what the ledger has left of them. */
export function usageOfRun(
  {
    runId,
    watermark,
    asOf,
  }: { readonly runId: string; readonly watermark: WatermarkVector; readonly asOf: Instant },
  reader: RunReader,
  rating: Omit<OverageRequest, 'asOf' | 'purse' | 'month'>,
): RatedUsage {
  const { catalog } = catalogVersions(rating.catalogs)(asOf);
  return {
    ...{ runId, watermark },
    lateUsage: (meterId) => catalog.meters[meterId]?.lateUsage ?? 'credit_note',
    lines: (spent) => ratedLines(reader, { ...rating, asOf, purse: (credits) => new Purse(credits, spent) }),
  };
}
