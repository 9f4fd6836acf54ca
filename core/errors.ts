/**
 * Every code that an error of Headgate can carry: the API's problem types and the CLI's `--json` errors.
 * Codes are a contract: add, never rename.
 */
export const ERROR_CODES = [
  'invariant_broken',
  'internal',
  // bad input
  'invalid_input',
  'invalid_argument',
  'invalid_config',
  'invalid_json',
  'invalid_utf8',
  'invalid_decimal',
  'invalid_instant',
  'invalid_date',
  'invalid_period',
  'unknown_zone',
  'unknown_currency',
  'currency_mismatch',
  'amount_out_of_range',
  'invalid_event',
  'unknown_event_type',
  'invalid_mapping',
  'invalid_file',
  'file_not_found',
  'unsupported_format',
  'truncated_file',
  'invalid_cursor',
  'invalid_sql',
  'sql_not_read_only',
  'catalog_invalid',
  'catalog_not_found',
  'unknown_metric',
  'unknown_dimension',
  // limits
  'body_too_large',
  'event_too_large',
  'batch_too_large',
  'unsupported_media_type',
  'rate_limited',
  'queue_full',
  'query_timeout',
  'result_too_large',
  // who may do what
  'signature_refused',
  'key_missing',
  'key_invalid',
  'key_revoked',
  'key_expired',
  'scope_missing',
  // not there
  'not_found',
  'route_not_found',
  'method_not_allowed',
  'org_not_found',
  'lead_not_found',
  'run_not_found',
  'quarantine_not_found',
  'commission_not_found',
  // state forbids it
  'no_run',
  'no_run_as_of',
  'no_catalog',
  'conflict',
  'copy_conflict',
  'already_exists',
  'idempotency_key_reused',
  'catalog_version_immutable',
  'fx_rate_missing',
  'data_directory_locked',
  'data_directory_newer',
  'data_directory_corrupt',
  'schema_migration_failed',
  'needs_database_url',
  'stripe_key_refused',
  'stripe_not_configured',
  'python_missing',
  'transform_failed',
  'transform_running',
  'lease_lost',
  'shutting_down',
  // something else is not there right now
  'unavailable',
  'disk_full',
  'warehouse_unavailable',
  'log_unavailable',
  'sql_unavailable',
  'stripe_unavailable',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export interface ErrorOptions {
  /** Facts for machines; they reach the caller, so no secrets and no personal data. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** HTTP status, where the class's own does not say it well (404, 413, 429). */
  readonly status?: number;
  readonly cause?: unknown;
}

/** What callers may rely on: a stable `code`, whether trying again can help, and an HTTP status. */
export abstract class HeadgateError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly status: number;
  readonly details?: Readonly<Record<string, unknown>>;

  protected constructor(
    code: ErrorCode,
    message: string,
    defaults: { retryable: boolean; status: number },
    options: ErrorOptions,
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retryable = defaults.retryable;
    this.status = options.status ?? defaults.status;
    if (options.details !== undefined) this.details = options.details;
  }
}

/** Somebody handed us something wrong. The message says what, where, and what to do. */
export class InputError extends HeadgateError {
  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(code, message, { retryable: false, status: 400 }, options);
  }
}

/** The request is fine but the state of things forbids it (no run yet, a lock is held, a scope is missing). */
export class RefusedError extends HeadgateError {
  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(code, message, { retryable: false, status: 409 }, options);
  }
}

/** Something we need is away or full; the same request may succeed later. */
export class UnavailableError extends HeadgateError {
  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(code, message, { retryable: true, status: 503 }, options);
  }
}

/** A bug: something that must hold does not. Never caught to go on, only to report. */
export class InvariantError extends HeadgateError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('invariant_broken', message, { retryable: false, status: 500 }, options);
  }
}

export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
