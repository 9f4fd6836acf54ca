import type { AuditLog } from '../../platform/audit-log.js';
import type { CatalogStore } from '../../platform/catalog-store.js';
import type { Sql } from '../../platform/sql/sql.js';
import type { Instant } from '../../core/time.js';
import type { Warehouse } from '../../platform/warehouse/warehouse.js';
import type { LiveSources } from './live-usage.js';
import { QuotaCounters } from './quota-counters.js';
import type { QuotaDeskDeps } from './quota-desk.js';
import { choiceAtOf, countChoices, listChoices } from './stop-choices.js';

/** Everything that quotas are answered from, in one process. */
export interface Quota extends QuotaDeskDeps {
  readonly counters: QuotaCounters;
  readonly sources: LiveSources;
}

export interface QuotaDeps {
  readonly sql: Sql;
  readonly audit: AuditLog;
  readonly warehouse: Pick<Warehouse, 'rawRows' | 'positions'>;
  readonly catalogs: CatalogStore;
  readonly withRun: LiveSources['withRun'];
  /** Of the run that serves; null before the first. */
  readonly currentRunId: () => Promise<string | null>;
  readonly delinquencyOf: QuotaDeskDeps['delinquencyOf'];
  readonly clock: () => Instant;
  readonly onError: (error: unknown) => void;
}

export function openQuota(deps: QuotaDeps): Quota {
  const { sql, warehouse, catalogs, withRun, clock, onError } = deps;
  const sources: LiveSources = {
    withRun,
    warehouse,
    catalogs: () => catalogs.published(),
    choicesOf: async (orgIds) => choiceAtOf(await listChoices(sql, orgIds)),
  };
  const rules = async (): Promise<string> => {
    const [run, catalog, choices] = [
      await deps.currentRunId(),
      await catalogs.newestVersion(),
      await countChoices(sql),
    ];
    return `${run ?? ''} ${catalog?.toString() ?? ''} ${choices}`;
  };
  return {
    sources,
    counters: new QuotaCounters({ ...sources, clock, rules, onError }),
    catalogs: sources.catalogs,
    delinquencyOf: deps.delinquencyOf,
  };
}
