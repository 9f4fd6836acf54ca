import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Session } from 'chdb';
import { statementsOf } from '../../platform/warehouse/clickhouse-statement.js';
import { BadCall, type ClickHouseCall } from './clickhouse-call.js';

export interface ClickHouseAnswer {
  readonly bytes: Buffer;
  readonly rows: number;
}

/** The engine takes a statement as a text of C, which ends at the first NUL. */
const quote = (value: string): string =>
  `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0')}'`;
const identifier = (name: string): string => `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;

const PLACEHOLDER = /\{\s*([A-Za-z_]\w*)\s*:\s*[A-Za-z]/g;
const INSERT = /^(\s*insert\s+into\s+[^]*?)(\s+settings\s+[^]*?)?\s+format\s+(\w+)\s*;?\s*$/i;
const LONG_STATEMENT = 1 << 28;
const SET_STATEMENT = /^\s*set\s+([^]+?);?\s*$/i;
const ASSIGNMENT = /([A-Za-z_]\w*)\s*=\s*('(?:[^'\\]|\\.)*'|[^\s,]+)/g;

/** `readonly` set for the whole session could not be taken back after the call; in the statement it holds for that alone. */
function readOnly(sql: string, level: string | undefined): string {
  if (level === undefined || level === '0' || /^\s*(explain|show|exists)\b/i.test(sql)) return sql;
  if (/^[\s(]*(select|with|from|describe|desc)\b/i.test(sql)) return `${sql}\nSETTINGS readonly = ${level}`;
  throw new BadCall('Code: 164. DB::Exception: Cannot execute query in readonly mode. (READONLY)');
}

/**
 * The engine in this process behind one queue. It has one session of its own, so whatever a call sets is taken back after it;
 * what an HTTP session SETs is kept here and set again for its later calls. Temporary tables are seen by all: tests make none.
 */
export class ClickHouseEngine {
  private queue: Promise<unknown> = Promise.resolve();
  private opened: Session | null = null;
  private readonly scratch = mkdtempSync(join(tmpdir(), 'clickhouse-engine-'));
  private readonly sessions = new Map<string, Map<string, string>>();
  private readonly parametersSeen = new Set<string>();
  private uploads = 0;

  /** The engine starts with the first call: what is refused before needs none. */
  constructor(private readonly directory: string) {}

  private get session(): Session {
    return (this.opened ??= new Session(this.directory));
  }

  /** Runs when all calls before it are done. One whose caller has left by then is not run. */
  run(call: ClickHouseCall, isWanted: () => boolean = () => true): Promise<ClickHouseAnswer> {
    const turn = this.queue.then(() => {
      if (!isWanted()) throw new BadCall('the caller has left');
      return this.execute(call);
    });
    this.queue = turn.catch(() => undefined);
    return turn;
  }

  close(): void {
    this.opened?.close();
    rmSync(this.scratch, { recursive: true, force: true });
  }

  private async execute(call: ClickHouseCall): Promise<ClickHouseAnswer> {
    // The engine would run them all; a server refuses. Rows of an insert may hold anything.
    if (!/^\s*insert\s/i.test(call.sql) && statementsOf(call.sql).length > 1) {
      throw new BadCall(
        'Code: 62. DB::Exception: Syntax error (Multi-statements are not allowed). (SYNTAX_ERROR)',
      );
    }
    this.bindParameters(call);
    this.session.query(`USE ${identifier(call.database)}`, 'Null');
    const settings = new Map([...this.settingsOf(call.sessionId), ...call.settings]);
    const statement = { ...call, sql: readOnly(call.sql, settings.get('readonly')) };
    settings.delete('readonly');
    const applied: string[] = [];
    try {
      for (const [name, value] of settings) {
        this.session.query(`SET ${identifier(name)} = ${quote(value)}`, 'Null');
        applied.push(name);
      }
      const result = await this.query(statement);
      applied.push(...this.remember(call));
      return { bytes: Buffer.from(result.bytes()), rows: result.rowsRead };
    } finally {
      for (const name of applied) this.session.query(`SET ${identifier(name)} = DEFAULT`, 'Null');
    }
  }

  /** A value that another call gave must not stand in for one that this call forgot. */
  private bindParameters({ sql, parameters }: ClickHouseCall): void {
    const given = new Set(parameters.map(([name]) => name));
    for (const [, name] of sql.matchAll(PLACEHOLDER)) {
      if (name !== undefined && !given.has(name) && this.parametersSeen.has(name)) {
        throw new BadCall(
          `Code: 456. DB::Exception: Substitution \`${name}\` is not set. (UNKNOWN_QUERY_PARAMETER)`,
        );
      }
    }
    // A server takes parameters of any length; here each is a statement.
    this.session.query(`SET max_query_size = ${LONG_STATEMENT}`, 'Null');
    for (const [name, value] of parameters) {
      if (!/^[A-Za-z_]\w*$/.test(name)) throw new BadCall(`param_${name} is not a name`);
      this.session.query(`SET param_${name} = ${quote(value)}`, 'Null');
      this.parametersSeen.add(name);
    }
    this.session.query('SET max_query_size = DEFAULT', 'Null');
  }

  private settingsOf(sessionId: string | null): Map<string, string> {
    return (sessionId === null ? undefined : this.sessions.get(sessionId)) ?? new Map<string, string>();
  }

  /** What a SET statement set: kept for the session, and in any case to be taken back. */
  private remember({ sql, sessionId }: ClickHouseCall): string[] {
    const assignments = SET_STATEMENT.exec(sql)?.[1];
    if (assignments === undefined) return [];
    const kept = this.settingsOf(sessionId);
    const names: string[] = [];
    for (const [, name, value] of assignments.matchAll(ASSIGNMENT)) {
      if (name === undefined || value === undefined) continue;
      names.push(name);
      kept.set(name, value.startsWith("'") ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1') : value);
    }
    if (sessionId !== null) this.sessions.set(sessionId, kept);
    return names;
  }

  private async query({ sql, payload, format }: ClickHouseCall): ReturnType<Session['queryAsync']> {
    if (payload === null) return this.session.queryAsync(sql, { format });
    const insert = INSERT.exec(sql);
    if (!insert) return this.session.queryAsync(`${sql}\n${payload.toString('utf8')}`, { format });
    // Through a file, because rows may be in a binary format and then can't be part of a text.
    const file = join(this.scratch, `upload-${++this.uploads}`);
    writeFileSync(file, payload);
    try {
      const [, target = '', settings = '', inFormat = ''] = insert;
      return await this.session.queryAsync(
        `${target} FROM INFILE ${quote(file)}${settings} FORMAT ${inFormat}`,
        { format },
      );
    } finally {
      rmSync(file, { force: true });
    }
  }
}
