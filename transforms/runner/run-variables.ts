import { formatInstant, type Instant } from '../../core/time.js';
import { watermarkJson } from '../../core/raw-event.js';
import { factsDefinitionDigest } from './definition-digest.js';
import type { RunPlan } from './transform.js';

/** dbt speaks instants as 'YYYY-MM-DD HH:MM:SS' in UTC. */
const sqlInstant = (instant: Instant): string => formatInstant(instant).slice(0, 19).replace('T', ' ');

/** What models ask for with `run_var`, whatever the engine. */
export async function runVariables(plan: RunPlan): Promise<Readonly<Record<string, unknown>>> {
  return {
    as_of: sqlInstant(plan.asOf),
    run_id: plan.runId,
    run_started: sqlInstant(plan.startedAt),
    code_revision: plan.codeRevision,
    catalog_version: Number(plan.catalogVersion ?? 0n),
    watermark: watermarkJson(plan.watermark),
    incremental: plan.isIncremental,
    facts_definition: await factsDefinitionDigest(),
  };
}
