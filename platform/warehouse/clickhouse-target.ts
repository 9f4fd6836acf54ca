import { InputError } from '../../core/errors.js';
import type { Stream } from '../../core/raw-event.js';
import type { SecretText } from '../secrets.js';

/** CLICKHOUSE_URL, taken apart. */
export interface ClickHouseTarget {
  /** Without user, password and path. */
  readonly origin: string;
  readonly username: string;
  readonly password: string;
  /** The main database, whose name begins the names of all others. */
  readonly database: string;
}

const DATABASE_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,59}$/;

/** @throws InputError `invalid_config`; the URL itself is not in the message, for a password may stand in it */
export function clickHouseTarget(url: SecretText): ClickHouseTarget {
  const { protocol, host, username, password, pathname, search, hash } = new URL(url.reveal());
  const database = pathname.replace(/^\/+|\/+$/g, '') || 'headgate';
  if (!DATABASE_NAME.test(database)) {
    throw wrongUrl('its path names a database, of letters, digits and "_": https://host:8443/headgate');
  }
  if (search !== '' || hash !== '') throw wrongUrl('leave out what follows "?" or "#"');
  return {
    origin: `${protocol}//${host}`,
    username: decoded(username) || 'default',
    password: decoded(password),
    database,
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw wrongUrl(
      'in its user or password a "%" must be followed by two hex digits; write "%" itself as %25',
    );
  }
}

function wrongUrl(problem: string): InputError {
  return new InputError('invalid_config', `config: CLICKHOUSE_URL: ${problem}`, {
    details: { problems: [`CLICKHOUSE_URL: ${problem}`] },
  });
}

/** Where a run's marts are published. Ids of runs hold nothing that would have to be quoted. */
export function runDatabase(main: string, runId: string): string {
  return `${main}_${runId}`;
}

/** Where a published run's own facts are. */
export function factsDatabase(main: string, runId: string): string {
  return `${main}_facts_${runId}`;
}

/**
 * Raw rows as every reader must see them, for a FROM clause. A consumer that died between insert and commit, and one that did not
 * notice that it was replaced, insert the same messages again: of those at one position, one counts. The same message has the same time
 * and subject; they are named only so that the server narrows by them before it looks for repeats (3 million rows: 0.04 s, not 0.9).
 */
export function rawRowsRelation(main: string, stream: Stream): string {
  return `(SELECT * FROM ${main}.raw_${stream} LIMIT 1 BY time, subject, log_partition, log_offset)`;
}
