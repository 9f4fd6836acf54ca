import { InputError } from '../../core/errors.js';

/**
 * What the lines of EXPLAIN AST may begin with: what a SELECT is made of. Whatever is not named here (settings, output files, EXPLAIN in
 * FROM, what a newer server adds) is refused, and so is a name with a line break in it, since what follows the break begins a line.
 */
const PARTS_OF_SELECT = new Set(
  `SelectWithUnionQuery SelectIntersectExceptQuery SelectQuery ExpressionList Identifier Literal Asterisk QualifiedAsterisk Function
   Subquery TablesInSelectQuery TablesInSelectQueryElement TableExpression TableIdentifier TableJoin ArrayJoin OrderByElement
   StorageOrderByElement InterpolateElement WithElement WindowDefinition WindowListElement ColumnsRegexpMatcher ColumnsListMatcher
   QualifiedColumnsRegexpMatcher QualifiedColumnsListMatcher ColumnsTransformerList ColumnsExceptTransformer ColumnsReplaceTransformer
   ColumnsReplaceTransformer::Replacement DescribeQuery`.split(/\s+/),
);

const ROOTS = new Set(['SelectWithUnionQuery', 'SelectIntersectExceptQuery', 'DescribeQuery']);

/** Functions that make rows out of nothing. All others in FROM read from somewhere. */
const TABLE_FUNCTIONS = new Set(
  'numbers numbers_mt zeros zeros_mt generateseries generate_series values'.split(' '),
);

/**
 * Functions that tell of the server, of its files and of other users, read other tables, wait, or call out; a test holds this against
 * all that the engine has. Names are compared in lower case.
 */
const REFUSED_FUNCTIONS = new RegExp(
  `^(${[
    '__.*|ai[a-z].*|addressto.*|catboost.*|dict.*|region.*|zookeeper.*|transaction.*|filesystem.*|mergetreepart.*',
    'file|joinget|joingetornull|hascolumnintable|icebergtruncate|evalmlmethod|naivebayes.*|showcertificate|logtrace|sleep|sleepeachrow',
    'get(setting|settingordefault|serversetting|mergetreesetting|macro|serverport|clienthttpheader|oskernelversion)',
    'getmaxtablenamelengthfordatabase|globalvariable|hasthreadfuzzer|hostname|fqdn|fullhostname|serveruuid|displayname|tcpport',
    'uptime|buildid|revision|shardnum|shardcount|demangle|tid|ismergetreepartcoveredby|runningconcurrency|generateserialid',
    '(current|default|enabled)(user|profiles|roles|schemas)|current_(user|schemas|query_id)|currentqueryid|user|authuser',
    'session_user|authenticateduser|connectionid|connection_id|queryid|query_id|initial_?query_?(id|start_?time)',
    'timeseries(idto|tagsgroup).*',
  ].join('|')})$`,
);

/** `Function numbers (alias n) (children 1)`: what it is, and its name. */
const LINE = /^(?<indent> *)(?<kind>[\w:]+)(?: (?<rest>.*))?$/;
/** Behind a name: what it is called here, and how many parts it has. */
const TRAILER = /(?: \(alias .*\))?(?: \(children \d+\))?$/;

export interface Room {
  /** Where names without a database are looked for; its own may also be written. */
  readonly database: string;
  /** All databases of the server. */
  readonly databases: ReadonlySet<string>;
}

/**
 * Refuses whatever is more than reading the room's tables. It goes by what the server's own parser made of the statement: no list of
 * forbidden words that a comment could slip past.
 *
 * @param lines of EXPLAIN AST
 * @throws InputError `sql_not_read_only`, `invalid_sql`
 */
export function requireSelectOnly(lines: readonly string[], room: Room): void {
  const root = LINE.exec(lines[0] ?? '')?.groups;
  if (root?.['kind'] === undefined || !ROOTS.has(root['kind'])) {
    throw refused('only SELECT and DESCRIBE can be run here');
  }
  if (lines.some((line) => /^ \S/.test(line) && !/^ (ExpressionList|TableExpression) /.test(line))) {
    throw new InputError(
      'invalid_sql',
      'sql: leave out FORMAT, SETTINGS and INTO OUTFILE; say the format beside the statement',
    );
  }
  let above = '';
  for (const line of lines) {
    const { kind = '', rest = '' } = LINE.exec(line)?.groups ?? {};
    requirePart(kind, rest.replace(TRAILER, ''), above, room);
    above = kind;
  }
}

function requirePart(kind: string, name: string, above: string, room: Room): void {
  if (kind === 'Set') throw refused('settings cannot be changed here');
  if (kind === 'QueryParameter') {
    throw new InputError('invalid_sql', 'sql: parameters cannot be given here; write the values');
  }
  if (!PARTS_OF_SELECT.has(kind)) throw refused(`${kind || 'a name with a line break'} cannot be used here`);
  if (kind === 'TableIdentifier') requireTable(name, room);
  if (kind === 'Identifier') requireName(name, room);
  if (kind === 'Function') requireFunction(name.toLowerCase(), above === 'TableExpression');
}

/** A name without a database is one of WITH, or one of the room. */
function requireTable(name: string, { database }: Room): void {
  if (!name.includes('.') || name.startsWith(`${database}.`)) return;
  throw refused(`${name}: only the marts and the raw tables can be read, by their names alone`);
}

/** What stands behind IN may be a table; what begins with a database is taken to be one. */
function requireName(name: string, { database, databases }: Room): void {
  const [first = ''] = name.split('.', 1);
  if (first === name || first === database || !databases.has(first)) return;
  throw refused(`${name}: only the marts and the raw tables can be read, by their names alone`);
}

function requireFunction(name: string, isInFrom: boolean): void {
  if (isInFrom) {
    if (!TABLE_FUNCTIONS.has(name))
      throw refused(`${name}(): files, other servers and other tables cannot be read from here`);
    return;
  }
  if (REFUSED_FUNCTIONS.test(name)) throw refused(`${name}() cannot be used here`);
}

function refused(problem: string): InputError {
  return new InputError('sql_not_read_only', `sql: ${problem}`);
}
