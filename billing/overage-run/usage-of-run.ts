import type { WatermarkVector } from '../../core/raw-event.js';
import type { Instant } from '../../core/time.js';
import type { RunReader } from '../../platform/warehouse/warehouse.js';
import { Purse } from '../adjustments/credits.js';
import { billingMonth } from '../billing-month.js';
import { catalogVersions } from '../catalog-versions.js';
import type { OverageLine } from '../overage-plan.js';
import { ratedLines, type OverageRequest } from '../preview-overage.js';
import type { RatedUsage } from './overage-run.js';

interface OpenRun {
  readonly run: { readonly runId: string; readonly watermark: WatermarkVector; readonly asOf: Instant };
  readonly reader: RunReader;
}

/** Published runs that were billed from, to be read once more. */
export interface BilledRuns {
  withRun(
    choice: { readonly runId: string },
    work: (open: OpenRun) => Promise<OverageLine[]>,
  ): Promise<OverageLine[]>;
}

/** What a run rates for the periods asked about, credits paid from what the ledger has left of them. */
export function usageOfRun(
  { run, reader }: OpenRun,
  rating: Omit<OverageRequest, 'asOf' | 'purse' | 'month'>,
  runs: BilledRuns,
): RatedUsage {
  const { runId, watermark, asOf } = run;
  const catalogAt = catalogVersions(rating.catalogs);
  const { catalog } = catalogAt(asOf);
  return {
    ...{ runId, watermark },
    lateUsage: (meterId) => catalog.meters[meterId]?.lateUsage ?? 'credit_note',
    lines: (spent) => ratedLines(reader, { ...rating, asOf, purse: (credits) => new Purse(credits, spent) }),
    again: (billedFrom, month) =>
      runs.withRun({ runId: billedFrom }, (open) => {
        const { ending } = billingMonth(month, open.run.asOf, catalogAt(open.run.asOf).catalog.zone);
        // Only usage is asked for, which no credit changes.
        const purse: OverageRequest['purse'] = (credits) => new Purse(credits);
        return ratedLines(open.reader, { ...rating, ending, asOf: open.run.asOf, purse });
      }),
  };
}
