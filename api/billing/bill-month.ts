import { planOverages, runOverages, type OverageReport } from '../../billing/overage-run/overage-run.js';
import { usageOfRun } from '../../billing/overage-run/usage-of-run.js';
import type { Run } from '../../transforms/run-store.js';
import { rulingCatalog } from '../catalog/ruling-catalog.js';
import type { Services } from '../services.js';
import { billingMonth } from '../../billing/billing-month.js';

export interface MonthToBill {
  /** First day; undefined: of the last that was over. */
  readonly month: string | undefined;
  readonly orgId: string | undefined;
  /** Plans and writes nothing. */
  readonly isDryRun: boolean;
  readonly actor: string;
}

/** What became of it, and the run that its usage was read from. */
export interface BilledMonth {
  readonly report: OverageReport;
  readonly run: Run;
  /** First day. */
  readonly month: string;
  readonly mode: 'live' | 'test';
}

/** Bills a month from the current run of the transforms: for whoever asks, and for the schedule. */
export async function billMonth(
  services: Services,
  { month, orgId, isDryRun, actor }: MonthToBill,
): Promise<BilledMonth> {
  const desk = await services.billing();
  const run = await services.runs.choose({});
  const { catalog } = await rulingCatalog(services.catalogs, run.asOf);
  const { first, ending } = billingMonth(month, run.asOf, catalog.zone);
  const catalogs = await services.catalogs.published();
  const choicesIn = await services.quota.choices();
  const report = await services.runs.read(run, async ({ reader }): Promise<OverageReport> => {
    const billsGuesses = desk.store.account.mode === 'test';
    const rating = { catalogs, ending, orgId, choicesIn, billsGuesses };
    const usage = usageOfRun({ run, reader }, rating, services.runs);
    const request = {
      ...{ month: first, ending, orgId: orgId ?? null, actor },
      approval: services.config.billing.approval,
    };
    if (isDryRun) return { plan: await planOverages(usage, request, desk), outcomes: [] };
    return runOverages(usage, request, desk);
  });
  return { report, run, month: first, mode: desk.store.account.mode };
}
