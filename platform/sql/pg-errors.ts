import { HeadgateError, RefusedError, UnavailableError, type ErrorCode } from '../../core/errors.js';
import { isDiskFull } from '../warehouse/duckdb-errors.js';

/** What an error says about where Headgate was connected to: never the password. */
export interface PgTarget {
  /** `user@host:5432/database` */
  readonly address: string;
  readonly poolSize: number;
  readonly timeoutMs: number;
}

interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  /** Wrong until somebody changes it: no use in trying again by itself. */
  readonly isSetting: boolean;
  readonly retryAfterSeconds: number;
}

interface ServerError {
  readonly state: string;
  readonly message: string;
}

/** SQLSTATE is five characters; Node's own codes (ECONNREFUSED) are not. */
const SQLSTATE = /^[0-9A-Z]{5}$/;
const NO_TLS_AT_SERVER = /server does not support SSL|establishing an SSL connection/i;
const CERTIFICATE = /^(ERR_TLS|ERR_SSL|CERT_)|SELF_SIGNED|_CERT|_LEAF_SIGNATURE|CRL/;
const NETWORK = /^(ECONN|ENOTFOUND|EAI_|ETIMEDOUT|EPIPE|EHOST|ENET|EADDR)/;
const LOST =
  /^Connection terminated|^Client (has encountered|was closed)|^Query read timeout|^timeout expired|^Received unexpected/i;
const NO_FREE_CONNECTION = /^timeout exceeded when trying to connect/i;
const CLOSED_HERE = /^Cannot use a pool after calling end/i;

/** At the start what a setting has wrong is refused for good: only a person can put it right. */
export function startError(error: unknown, target: PgTarget): unknown {
  const failure = error instanceof HeadgateError ? null : failureOf(error, target);
  if (failure === null) return error;
  return failure.isSetting
    ? new RefusedError('invalid_config', failure.message, { cause: error })
    : unavailable(failure, error);
}

/** While Headgate runs everything may come back: a password put right, a standby promoted. What a statement itself has wrong stays. */
export function runningError(error: unknown, target: PgTarget): unknown {
  const failure = error instanceof HeadgateError ? null : failureOf(error, target);
  return failure === null ? error : unavailable(failure, error);
}

/** Whether the connection is of no more use, whatever became of the statement. */
export function isConnectionLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const server = serverError(error);
  if (server !== null) return /^(08|57P0|25P03)/.test(server.state);
  return LOST.test(error.message) || NETWORK.test(codeOf(error));
}

function unavailable({ code, message, retryAfterSeconds }: Failure, cause: unknown): UnavailableError {
  return new UnavailableError(code, message, { cause, details: { retryAfterSeconds } });
}

function failureOf(error: unknown, target: PgTarget): Failure | null {
  if (!(error instanceof Error)) return null;
  const server = serverError(error);
  const failure = server === null ? clientFailure(error, target) : serverFailure(server, target);
  // Drizzle names the statement and puts the driver's error behind it.
  return failure ?? failureOf(error.cause, target);
}

/** What the server refused, by its SQLSTATE. */
function serverFailure({ state, message }: ServerError, target: PgTarget): Failure | null {
  const say = failuresAt(target);
  if (state === '28P01') return say.setting('the server refuses the user or its password; put them right');
  if (state === '28000' && /no encryption/.test(message)) {
    return say.setting('the server takes TLS connections only; add ?sslmode=verify-full');
  }
  if (state.startsWith('28')) return say.setting(`the server does not let it in: ${message}`);
  if (state === '3D000') return say.setting('the database does not exist; create it, or name another one');
  if (state === '42501') {
    return say.setting(
      `the user may not do what Headgate needs (${message}); let it own the database, or grant it CREATE on the database and its schema`,
    );
  }
  if (state === '25006') {
    return say.setting('the server takes no writes: it is a standby, or read-only; name the primary');
  }
  if (state === '53300') {
    return say.busy(
      'the server has no connection left; lower HEADGATE_DATABASE_POOL, or raise max_connections',
    );
  }
  if (state === '53100' || isDiskFull(message)) {
    return {
      ...say.away("the server's disk is full; free some space there and try again"),
      code: 'disk_full',
      retryAfterSeconds: 30,
    };
  }
  if (state === '57014') {
    return say.busy(
      `a statement took longer than ${target.timeoutMs / 1000} s (HEADGATE_DATABASE_TIMEOUT_SECONDS) and was cut; nothing of it was done`,
    );
  }
  if (state === '55P03' || state === '40001' || state === '40P01') {
    return say.busy('others were at the same rows for too long; nothing was done, try again');
  }
  if (/^(08|57P0|25P03)/.test(state)) return say.lost(message);
  if (state.startsWith('53')) return say.away(`the server is short of something: ${message}`);
  return null;
}

/** What went wrong before or beside the server's own answers. */
function clientFailure(error: Error, target: PgTarget): Failure | null {
  const say = failuresAt(target);
  const code = codeOf(error);
  const words = error.message === '' ? code : error.message;
  if (NO_TLS_AT_SERVER.test(words)) {
    return say.setting(
      'the server has no TLS; turn it on there, or leave sslmode out where the network is trusted',
    );
  }
  if (CERTIFICATE.test(code)) {
    return say.setting(
      `the server's certificate is not trusted (${words}); name its authority with sslrootcert, and the host that it is for`,
    );
  }
  if (words.startsWith('SASL')) return say.setting('the server wants a password; put one into the URL');
  if (NO_FREE_CONNECTION.test(words)) {
    return say.busy(
      `all ${target.poolSize} connections are busy; raise HEADGATE_DATABASE_POOL if the server has room for more`,
    );
  }
  if (CLOSED_HERE.test(words)) return say.away('headgate is shutting down');
  if (LOST.test(words)) return say.lost(words);
  if (NETWORK.test(code))
    return say.away(`the server does not answer (${words}); is it up, and is this its address?`);
  return null;
}

function failuresAt({ address }: PgTarget) {
  const failure = (problem: string) => ({
    code: 'sql_unavailable' as const,
    message: `sql: DATABASE_URL (${address}): ${problem}`,
  });
  return {
    setting: (problem: string): Failure => ({ ...failure(problem), isSetting: true, retryAfterSeconds: 30 }),
    away: (problem: string): Failure => ({ ...failure(problem), isSetting: false, retryAfterSeconds: 5 }),
    busy: (problem: string): Failure => ({ ...failure(problem), isSetting: false, retryAfterSeconds: 1 }),
    lost: (words: string): Failure => ({
      ...failure(
        `the connection was cut (${words}); what was under way is done whole or not at all, try again`,
      ),
      isSetting: false,
      retryAfterSeconds: 2,
    }),
  };
}

function serverError(error: Error): ServerError | null {
  const code = codeOf(error);
  return SQLSTATE.test(code) && 'severity' in error ? { state: code, message: error.message } : null;
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}
