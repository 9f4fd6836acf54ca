import { InvariantError } from '../../core/errors.js';
import type { QueryParameter, QueryParameters } from './warehouse.js';

/** What ClickHouse's own lexer keeps together: inside comments and quotes nothing is looked for. */
const TOKEN =
  /(?<comment>--[^\n]*|#[ !][^\n]*|\/\*[^]*?\*\/)|(?<quoted>'(?:[^'\\]|\\[^]|'')*'|"(?:[^"\\]|\\[^]|"")*"|`(?:[^`\\]|\\[^]|``)*`|‘[^’]*’|“[^”]*”|\$(?<tag>\w*)\$[^]*?\$\k<tag>\$)|(?<word>[A-Za-z0-9_][\w$]*)|\$(?<parameter>[A-Za-z_]\w*)|(?<end>;)|[^]/g;

const MAX_INT64 = (1n << 63n) - 1n;
const MAX_INT128 = (1n << 127n) - 1n;

export interface BoundStatement {
  readonly sql: string;
  readonly values: Readonly<Record<string, string | boolean>>;
}

/**
 * `$name` becomes ClickHouse's `{name:Type}`, by the type of what is bound; NULL, which has no type there, is written out.
 *
 * @throws InvariantError when a parameter has no value
 */
export function boundStatement(sql: string, parameters: QueryParameters): BoundStatement {
  const values: Record<string, string | boolean> = {};
  let bound = '';
  for (const { 0: token, groups } of sql.matchAll(TOKEN)) {
    const name = groups?.['parameter'];
    bound += name === undefined ? token : placeholder(name);
  }
  return { sql: bound, values };

  function placeholder(name: string): string {
    const value = parameters[name];
    if (value === undefined)
      throw new InvariantError(`query: $${name} is not given in: ${sql.slice(0, 200)}`);
    if (value === null) return 'NULL';
    values[name] = typeof value === 'boolean' ? value : String(value);
    return `{${name}:${typeOf(value)}}`;
  }
}

function typeOf(value: Exclude<QueryParameter, null>): string {
  if (typeof value === 'string') return 'String';
  if (typeof value === 'boolean') return 'Bool';
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return 'Float64';
  const size = value < 0 ? -BigInt(value) : BigInt(value);
  if (size <= MAX_INT64) return 'Int64';
  return size <= MAX_INT128 ? 'Int128' : 'Int256';
}

/** The statements of a text, without the semicolons between them; comments alone are no statement. */
export function statementsOf(text: string): string[] {
  const statements: string[] = [];
  let current = '';
  let isEmpty = true;
  const finish = (): void => {
    if (!isEmpty) statements.push(current.trim());
    current = '';
    isEmpty = true;
  };
  for (const { 0: token, groups } of text.matchAll(TOKEN)) {
    if (groups?.['end'] !== undefined) {
      finish();
      continue;
    }
    current += token;
    if (groups?.['comment'] === undefined && token.trim() !== '') isEmpty = false;
  }
  finish();
  return statements;
}
