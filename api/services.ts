import type { BillingDesk } from '../billing/billing-desk.js';
import type { Quota } from '../billing/quota/quota.js';
import type { Instant } from '../core/time.js';
import type { ApiKeys } from '../platform/api-keys.js';
import type { AuditLog } from '../platform/audit-log.js';
import type { FileServices } from '../ingest/files/ingest-file.js';
import type { StripeInbox } from '../ingest/stripe/stripe-inbox.js';
import type { CatalogFile } from '../platform/catalog-file.js';
import type { CatalogPublication, CatalogStore } from '../platform/catalog-store.js';
import type { Config } from '../platform/config.js';
import type { ConsumptionStatus } from '../platform/log/event-log.js';
import type { PartitionLag } from '../platform/log/kafka-resume.js';
import type { Meter } from '@opentelemetry/api';
import type { Logger } from 'pino';
import type { Sql } from '../platform/sql/sql.js';
import type { Vault } from '../platform/vault.js';
import type { UserSql } from '../platform/warehouse/user-sql.js';
import type { Warehouse } from '../platform/warehouse/warehouse.js';
import type { RunAccess } from '../transforms/run-access.js';
import type { Run } from '../transforms/run-store.js';
import type { TransformRequest } from '../transforms/runner/transform.js';

/** How far the warehouse is behind the log. */
export interface TopicsStatus {
  lags(): Promise<readonly PartitionLag[]>;
  /** Of this process' own consumer; null where it has none. */
  status(): ConsumptionStatus | null;
}

/** Everything the API stands on. The one place that builds it is cli/runtime.ts. */
export interface Services {
  readonly config: Config;
  readonly clock: () => Instant;
  readonly logger: Logger;
  readonly sql: Sql;
  readonly warehouse: Warehouse;
  readonly keys: ApiKeys;
  readonly audit: AuditLog;
  readonly vault: Vault;
  readonly catalogs: CatalogStore;
  /** Publishes a checked file as the next version, on the record; ingest knows its personal keys from then on. */
  readonly publishCatalog: (file: CatalogFile, by: string) => Promise<CatalogPublication>;
  /** Every way in: HTTP bodies, files, replay. */
  readonly ingest: FileServices;
  readonly runs: RunAccess;
  /** SQL that people send, each statement in a closed room of its own. */
  readonly userSql: UserSql;
  /** The same for statements of ours: whole marts, for pages. */
  readonly pageSql: UserSql;
  readonly dashboards: {
    /** Where the built pages are, when they are. */
    readonly siteDirectory: string;
    /** Scratch, for tables as pages read them. */
    readonly tablesDirectory: string;
  };
  readonly transform: (request: TransformRequest) => Promise<Run>;
  /** Stripe and the ledger of its account, opened when first asked for. */
  readonly billing: () => Promise<BillingDesk>;
  /** What Stripe tells us, on its way to events; opened when first asked for. */
  readonly stripeInbox: () => Promise<StripeInbox>;
  /** What orgs have used since the run, what they may use, and what they chose. */
  readonly quota: Quota;
  /** Stands for this process's own user: what the CLI sends, in process or to the server that holds the directory. */
  readonly localToken: string;
  /** Null where no log lies between the API and the warehouse. */
  readonly topics: TopicsStatus | null;
  readonly meter: Meter;
  /** What `meter` and its like have measured, in Prometheus' text format. */
  readonly readTelemetry: () => Promise<string>;
  readonly codeRevision: string;
  /** Where long work says how far it is; a server drops it, a terminal shows it. */
  readonly onProgress: (message: string) => void;
  /** Aborted when this process begins to stop: long work ends, short work is finished. */
  readonly shutdown: AbortController;
}
