import { HeadgateError, InputError, InvariantError, UnavailableError } from '../../core/errors.js';
import { tooMuchMemory } from './user-sql.js';

const DISK_FULL = /no space left on device|file too large|disk quota exceeded|max_temp_directory_size/i;
const LOCKED = /could not set lock on file|conflicting lock is held/i;
/** After one of these the instance answers nothing else until the file is opened again. */
const FATAL = /database has been invalidated|^FATAL Error/i;

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether an engine's, or the system's, words say that nothing more can be written. */
export function isDiskFull(message: string): boolean {
  return DISK_FULL.test(message);
}

export function isFatal(error: unknown): boolean {
  return FATAL.test(messageOf(error));
}

/** An error of the engine on Headgate's own statements: what callers can act on gets a class, the rest is a bug. */
export function warehouseError(error: unknown, what: string): HeadgateError {
  if (error instanceof HeadgateError) return error;
  const message = messageOf(error);
  if (isDiskFull(message)) {
    return new UnavailableError('disk_full', `${what}: the disk is full; free some space and try again`, {
      cause: error,
      details: { retryAfterSeconds: 30 },
    });
  }
  if (LOCKED.test(message)) {
    return new UnavailableError(
      'warehouse_unavailable',
      `${what}: another process holds the warehouse; stop it, or use its server`,
      { cause: error },
    );
  }
  if (/^Out of Memory Error/i.test(message)) {
    return new UnavailableError('warehouse_unavailable', `${what}: not enough memory for this statement`, {
      cause: error,
    });
  }
  if (isFatal(error) || /^IO Error/i.test(message)) {
    return new UnavailableError('warehouse_unavailable', `${what}: ${firstLine(message)}`, { cause: error });
  }
  return new InvariantError(`${what}: ${message}`, { cause: error });
}

/** An error of the engine on somebody's own SQL: theirs to read, so the engine's words are kept. */
export function userSqlError(error: unknown): HeadgateError {
  if (error instanceof HeadgateError) return error;
  const message = messageOf(error);
  if (/^Out of Memory Error/i.test(message)) {
    return tooMuchMemory(error);
  }
  if (/^Permission Error/i.test(message)) {
    return new InputError('sql_not_read_only', 'sql: files and other databases cannot be read from here', {
      cause: error,
    });
  }
  return new InputError('invalid_sql', `sql: ${message}`, { cause: error });
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}
