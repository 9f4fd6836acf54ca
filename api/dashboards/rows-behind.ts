import type { Scope } from '../../platform/key-scopes.js';
import { drill, type DrillRow } from '../../transforms/drill.js';
import { takeAndAddUp, type DrilledRows } from '../../transforms/drill-totals.js';
import type { Metric } from '../../transforms/metric.js';
import { metricNamed } from '../../transforms/metric-registry.js';
import type { Run } from '../../transforms/run-store.js';
import { csvText, spreadsheetText } from '../csv.js';
import type { Services } from '../services.js';
import { DASHBOARD_TABLES, tableNamed } from './pages.js';

/** The events behind a number of a page, and what each of its sides adds up to over all of them. */
export interface RowsBehind extends DrilledRows {
  readonly metric: Metric;
  readonly run: Run;
  /** Where the number stands: month, currency, dimension … as text. */
  readonly place: Readonly<Record<string, string>>;
}

/** Whoever may have the table that a number stands in may have what is behind it. */
export function neededForRows(metric: string): Scope {
  const table = tableNamed(metricNamed(metric).mart);
  return table === undefined ? 'metrics:read' : DASHBOARD_TABLES[table].needs;
}

/**
 * @param question the number's place, and by `run` the run that it was read in: without it, the current one
 * @throws InputError `unknown_metric`, `invalid_argument`, `unknown_dimension`; RefusedError where the run is gone
 */
export async function rowsBehind(
  name: string,
  { run: runId, ...place }: Readonly<Record<string, string>>,
  limit: number,
  services: Services,
): Promise<RowsBehind> {
  const metric = metricNamed(name);
  return services.runs.withRun({ runId }, async ({ run, reader }) => {
    const drilled = await takeAndAddUp(drill(metric, place, reader), limit);
    return { metric, run, place, ...drilled };
  });
}

const COLUMNS = ['side', 'org_id', 'stream', 'event_source', 'event_id', 'at', 'amount', 'detail'] as const;

/** RFC 4180; amounts are digits in the metric's unit, so that they add up in a spreadsheet too. */
export function rowsCsv(rows: readonly DrillRow[]): string {
  return csvText(
    COLUMNS,
    rows.map((row) =>
      COLUMNS.map((column) => {
        const value = row[column];
        return value === null || column === 'amount' ? value : spreadsheetText(value);
      }),
    ),
  );
}
