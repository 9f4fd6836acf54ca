import { approveInvoice } from './billing/approve-invoice.js';
import { backfillBilling } from './billing/backfill-billing.js';
import { explainBillingLine } from './billing/explain-line.js';
import { getInvoice } from './billing/get-invoice.js';
import { linkCustomer } from './billing/link-customer.js';
import { listCredits } from './billing/list-credits.js';
import { listCustomers } from './billing/list-customers.js';
import { listInvoices } from './billing/list-invoices.js';
import { listWaiting } from './billing/list-waiting.js';
import { previewBilling } from './billing/preview-billing.js';
import { reconcileInvoice } from './billing/reconcile-invoice.js';
import { replayBillingLine } from './billing/replay-line.js';
import { runBilling } from './billing/run-billing.js';
import { withdrawInvoice } from './billing/withdraw-invoice.js';
import { getCatalog } from './catalog/get-catalog.js';
import { diffCatalogVersions } from './catalog/diff-catalogs.js';
import { listCatalogVersions } from './catalog/list-versions.js';
import { postCatalog } from './catalog/post-catalog.js';
import { listCommissions } from './commissions/list-commissions.js';
import { postEvents } from './events/post-events.js';
import { postFile } from './files/post-file.js';
import { createKey } from './keys/create-key.js';
import { listKeys } from './keys/list-keys.js';
import { revokeKey } from './keys/revoke-key.js';
import { exportLedger } from './ledger/export-ledger.js';
import { listLedgerBreaks } from './ledger/list-ledger-breaks.js';
import { listLedgerInvoices } from './ledger/list-ledger-invoices.js';
import { getLeadScore } from './leads/get-lead-score.js';
import { listLeads } from './leads/list-leads.js';
import { drillMetric } from './metrics/drill-metric.js';
import { getMetric } from './metrics/get-metric.js';
import { listMetrics } from './metrics/list-metrics.js';
import { closeMonth } from './months/close-month.js';
import type { Operation } from './operation.js';
import { getOrg } from './orgs/get-org.js';
import { listOrgs } from './orgs/list-orgs.js';
import { listPackages } from './packages/list-packages.js';
import { erasePerson } from './people/erase-person.js';
import { decideConflict } from './quarantine/decide-conflict.js';
import { discardQuarantined } from './quarantine/discard-quarantined.js';
import { fixQuarantined } from './quarantine/fix-quarantined.js';
import { getQuarantined } from './quarantine/get-quarantined.js';
import { listConflicts } from './quarantine/list-conflicts.js';
import { listQuarantine } from './quarantine/list-quarantine.js';
import { replayQuarantine } from './quarantine/replay-quarantine.js';
import { checkQuota } from './quota/check-quota.js';
import { getStopPolicies } from './quota/get-policies.js';
import { listAlerts } from './quota/list-alerts.js';
import { setStopPolicy } from './quota/set-policy.js';
import { createRun } from './runs/create-run.js';
import { getRun } from './runs/get-run.js';
import { listRuns } from './runs/list-runs.js';
import { getSchema } from './schemas/get-schema.js';
import { listSchemas } from './schemas/list-schemas.js';
import { runSql } from './sql/run-sql.js';
import { health } from './system/health.js';
import { readTelemetry } from './system/read-telemetry.js';
import { readiness } from './system/readiness.js';
import { status } from './system/status.js';
import { listTargets } from './targets/list-targets.js';
import { getUsage } from './usage/get-usage.js';
import { listUsagePeriods } from './usage/list-usage-periods.js';
import { postStripeWebhook } from './webhooks/post-stripe-webhook.js';

/** The whole API, in the order of its document. A new operation is a file and a line here. */
export const operations: readonly Operation[] = [
  postEvents,
  postFile,
  listSchemas,
  getSchema,
  // Before `{quarantineId}`, which would take "conflicts" for an id.
  listConflicts,
  decideConflict,
  listQuarantine,
  replayQuarantine,
  getQuarantined,
  fixQuarantined,
  discardQuarantined,
  listMetrics,
  getMetric,
  drillMetric,
  listTargets,
  closeMonth,
  createRun,
  listRuns,
  getRun,
  runSql,
  getCatalog,
  listCatalogVersions,
  diffCatalogVersions,
  postCatalog,
  listPackages,
  listOrgs,
  getOrg,
  listLeads,
  getLeadScore,
  listCommissions,
  getUsage,
  listUsagePeriods,
  checkQuota,
  getStopPolicies,
  setStopPolicy,
  listAlerts,
  previewBilling,
  explainBillingLine,
  replayBillingLine,
  runBilling,
  listInvoices,
  getInvoice,
  approveInvoice,
  reconcileInvoice,
  withdrawInvoice,
  listCredits,
  listWaiting,
  listLedgerInvoices,
  listLedgerBreaks,
  exportLedger,
  linkCustomer,
  listCustomers,
  backfillBilling,
  postStripeWebhook,
  createKey,
  listKeys,
  revokeKey,
  erasePerson,
  health,
  readiness,
  readTelemetry,
  status,
];
