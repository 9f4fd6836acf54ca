import type { CatalogStore } from '../../platform/catalog-store.js';
import type { Sql } from '../../platform/sql/sql.js';
import type { Instant } from '../../core/time.js';
import { deliverDue, type WebhookEndpoint } from '../../platform/outbound/webhooks/deliver.js';
import type { Warehouse } from '../../platform/warehouse/warehouse.js';
import type { ChoicesIn } from '../overage-plan.js';
import type { LiveSources } from './live-usage.js';
import { QuotaCounters } from './quota-counters.js';
import type { QuotaDeskDeps } from './quota-desk.js';
import { AlertWatch } from './alert-watch.js';
import { choicesInOf, countChoices, listChoices } from './stop-choices.js';

/** Everything that quotas are answered from, in one process. */
export interface Quota extends QuotaDeskDeps {
  readonly counters: QuotaCounters;
  readonly sources: LiveSources;
  /** What all orgs chose for when their limits are reached: for who rates them. */
  readonly choices: () => Promise<ChoicesIn>;
  /** Enters usage alerts that are due, and sends those that wait; what the one who does scheduled work calls again and again. */
  readonly tellAlerts: () => Promise<{ readonly entered: number; readonly delivered: number }>;
}

export interface QuotaDeps {
  readonly sql: Sql;
  readonly warehouse: Pick<Warehouse, 'rawRows' | 'positions'>;
  readonly catalogs: CatalogStore;
  readonly withRun: LiveSources['withRun'];
  /** Of the run that serves; null before the first. */
  readonly currentRunId: () => Promise<string | null>;
  readonly delinquencyOf: QuotaDeskDeps['delinquencyOf'];
  /** Null: alerts are recorded, and sent nowhere. */
  readonly endpoint: WebhookEndpoint | null;
  readonly fetch: typeof fetch;
  readonly signal: AbortSignal;
  readonly clock: () => Instant;
  readonly onError: (error: unknown) => void;
}

export function openQuota(deps: QuotaDeps): Quota {
  const { sql, warehouse, catalogs, withRun, clock, onError } = deps;
  const sources: LiveSources = {
    withRun,
    warehouse,
    catalogs: () => catalogs.published(),
    choicesOf: async (orgIds) => choicesInOf(await listChoices(sql, orgIds)),
  };
  const rules = async (): Promise<string> => {
    const [run, catalog, choices] = [
      await deps.currentRunId(),
      await catalogs.newestVersion(),
      await countChoices(sql),
    ];
    return `${run ?? ''} ${catalog?.toString() ?? ''} ${choices}`;
  };
  const { endpoint, currentRunId } = deps;
  const watch = new AlertWatch({ sql, sources, clock, currentRunId, isSent: endpoint !== null });
  return {
    sources,
    choices: async () => choicesInOf(await listChoices(sql)),
    tellAlerts: async () => {
      // Messages wait for nobody who is away.
      const entered = await watch.look().catch((error: unknown) => {
        onError(error);
        return 0;
      });
      return { entered, delivered: endpoint === null ? 0 : await deliverDue({ ...deps, endpoint }) };
    },
    counters: new QuotaCounters({ ...sources, clock, rules, onError }),
    catalogs: sources.catalogs,
    delinquencyOf: deps.delinquencyOf,
  };
}
