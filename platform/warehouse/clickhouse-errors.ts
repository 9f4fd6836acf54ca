import { ClickHouseError } from '@clickhouse/client';
import { HeadgateError, InputError, InvariantError, UnavailableError } from '../../core/errors.js';
import { isDiskFull, messageOf } from './duckdb-errors.js';
import { tooMuchMemory } from './user-sql.js';

/** ClickHouse's own numbers for what callers can act on. */
const CODE = {
  unknownTable: '60',
  unknownDatabase: '81',
  timeout: '159',
  readOnly: '164',
  unknownUser: '192',
  wrongPassword: '193',
  passwordMissing: '194',
  memoryLimit: '241',
  notEnoughSpace: '243',
  tooManyRows: '396',
  queryCancelled: '394',
  accessDenied: '497',
  authenticationFailed: '516',
} as const;

const REFUSED_LOGIN: ReadonlySet<string> = new Set([
  CODE.unknownUser,
  CODE.wrongPassword,
  CODE.passwordMissing,
  CODE.authenticationFailed,
]);

/** The server is there and will be able again: too many queries or parts, no quorum, shutting down, a replica's keeper away. */
const PASSING: ReadonlySet<string> = new Set(
  `3 74 75 76 107 160 202 209 210 225 236 242 243 252 254 279 285 286 289 290 319 341 373 394 415 425 439 571 659 692 725 734 999`.split(
    ' ',
  ),
);

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
]);
const LOST = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ERR_STREAM_PREMATURE_CLOSE', 'ABORT_ERR']);
const NOT_TRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
]);
const LOST_WORDS = /socket hang up|aborted|premature close|connection (was )?(closed|lost)/i;

/** What an error means for whoever runs Headgate. `isSetting`: waiting does not help, a setting must change. */
interface Explanation {
  readonly message: string;
  readonly isSetting: boolean;
  readonly retryAfterSeconds: number;
}

const setting = (message: string): Explanation => ({ message, isSetting: true, retryAfterSeconds: 30 });
const passing = (message: string, retryAfterSeconds: number): Explanation => ({
  message,
  isSetting: false,
  retryAfterSeconds,
});

/** @param server the origin of CLICKHOUSE_URL, without user and password */
function explained(error: unknown, server: string): Explanation | null {
  if (error instanceof ClickHouseError) return explainedAnswer(error, server);
  const code = codeOf(error);
  const words = messageOf(error);
  if (UNREACHABLE.has(code)) {
    return passing(`nothing answers at ${server} (${code}); start ClickHouse, or correct CLICKHOUSE_URL`, 5);
  }
  if (NOT_TRUSTED.has(code)) {
    return setting(
      `the certificate of ${server} is signed by nobody known here (${code}); name its authority's file in HEADGATE_CLICKHOUSE_CA_FILE`,
    );
  }
  if (code === 'CERT_HAS_EXPIRED') return setting(`the certificate of ${server} has expired; renew it`);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return setting(
      `the certificate of ${server} is for another host; write the host that it names in CLICKHOUSE_URL`,
    );
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) {
    return setting(
      `${server} does not speak TLS; write http:// in CLICKHOUSE_URL (port 8123), or its TLS port (8443)`,
    );
  }
  if (code.startsWith('HPE_')) {
    return setting(
      `${server} does not speak plain HTTP; write https:// in CLICKHOUSE_URL (port 8443) if it is TLS`,
    );
  }
  if (words === 'Timeout error.' || words === 'The user aborted a request.') {
    return passing(
      `${server} did not answer in time; see what holds it up, or raise HEADGATE_CLICKHOUSE_TIMEOUT_SECONDS`,
      5,
    );
  }
  if (LOST.has(code) || LOST_WORDS.test(words)) {
    return passing(`the connection to ${server} broke off; try again`, 2);
  }
  return null;
}

function explainedAnswer(error: ClickHouseError, server: string): Explanation | null {
  const { code } = error;
  if (REFUSED_LOGIN.has(code)) {
    return setting(`${server} refuses the user or its password; correct them in CLICKHOUSE_URL`);
  }
  if (code === CODE.accessDenied) {
    return setting(`the user in CLICKHOUSE_URL lacks a right: ${firstLine(error.message)}`);
  }
  if (code === CODE.readOnly) {
    return setting('the user in CLICKHOUSE_URL may only read; give it a profile without readonly');
  }
  if (code === CODE.timeout) {
    return passing('stopped after HEADGATE_CLICKHOUSE_TIMEOUT_SECONDS; try again, or raise it', 5);
  }
  if (code === CODE.memoryLimit) return passing('ClickHouse has not enough memory for this statement', 30);
  if (PASSING.has(code)) return passing(`ClickHouse can't do it now: ${firstLine(error.message)}`, 5);
  return null;
}

/** An error of the engine, or on the way to it, on Headgate's own statements. The rest is a bug. */
export function clickHouseError(error: unknown, what: string, server: string): HeadgateError {
  if (error instanceof HeadgateError) return error;
  if (isFull(error)) {
    return new UnavailableError(
      'disk_full',
      `${what}: ClickHouse's disk is full; free some space and try again`,
      {
        cause: error,
        details: { retryAfterSeconds: 30 },
      },
    );
  }
  const explanation = explained(error, server);
  if (explanation !== null) {
    return new UnavailableError('warehouse_unavailable', `${what}: ${explanation.message}`, {
      cause: error,
      details: { retryAfterSeconds: explanation.retryAfterSeconds },
    });
  }
  return new InvariantError(`${what}: ${messageOf(error)}`, { cause: error });
}

/** The same while connecting: there a setting that is wrong is an error of whoever set it, not of the server. */
export function connectError(error: unknown, server: string): HeadgateError {
  if (error instanceof HeadgateError) return error;
  if (isConnectionLost(error) && server.startsWith('http:')) {
    return new UnavailableError(
      'warehouse_unavailable',
      `ClickHouse: ${server} hangs up without an answer; if it speaks TLS there, write https:// in CLICKHOUSE_URL, else try again`,
      { cause: error, details: { retryAfterSeconds: 5 } },
    );
  }
  const explanation = explained(error, server);
  if (explanation !== null && !explanation.isSetting) return clickHouseError(error, 'ClickHouse', server);
  const problem =
    explanation?.message ??
    `what answers at ${server} is no ClickHouse over HTTP: ${firstLine(messageOf(error))}; correct CLICKHOUSE_URL`;
  return new InputError('invalid_config', `ClickHouse: ${problem}`, {
    details: { problems: [problem] },
    cause: error,
  });
}

/** Whether a call that broke off says nothing about what it asked for, so that it can be sent once more. */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof ClickHouseError) return false;
  return LOST.has(codeOf(error)) || LOST_WORDS.test(messageOf(error));
}

/** Whether a statement named a table or a database that is not there. */
export function isGone(error: unknown): boolean {
  if (error instanceof HeadgateError) return isGone(error.cause);
  return (
    error instanceof ClickHouseError &&
    (error.code === CODE.unknownDatabase || error.code === CODE.unknownTable)
  );
}

/** An error of the engine on somebody's own SQL: theirs to read, so the engine's words are kept. */
export function clickHouseUserError(error: unknown, server: string): HeadgateError {
  if (error instanceof HeadgateError) return error;
  if (!(error instanceof ClickHouseError)) return clickHouseError(error, 'sql', server);
  if (error.code === CODE.readOnly || error.code === CODE.accessDenied) {
    return new InputError('sql_not_read_only', `sql: ${firstLine(error.message)}`, { cause: error });
  }
  if (error.code === CODE.memoryLimit) {
    return tooMuchMemory(error);
  }
  const explanation = explained(error, server);
  if (explanation !== null && error.code !== CODE.timeout) return clickHouseError(error, 'sql', server);
  // What it guesses was meant may be a table of another database, which is nobody's business here.
  const words = firstLine(error.message).replace(/ Maybe you meant [^?]*\?/, '');
  return new InputError('invalid_sql', `sql: ${words}`, { cause: error });
}

export function isTimeout(error: unknown): boolean {
  return (
    error instanceof ClickHouseError && (error.code === CODE.timeout || error.code === CODE.queryCancelled)
  );
}

export function isTooManyRows(error: unknown): boolean {
  return error instanceof ClickHouseError && error.code === CODE.tooManyRows;
}

function isFull(error: unknown): boolean {
  if (error instanceof ClickHouseError && error.code === CODE.notEnoughSpace) return true;
  return isDiskFull(messageOf(error));
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]?.trim() ?? text;
}
