// The query engine of the pages: DuckDB-WASM in a worker, fed with the product's Parquet files.
//
// It stands in for `@evidence-dev/universal-sql/client-duckdb` (see the alias in template/vite.config.js).
// Evidence's own one lets DuckDB-WASM read Parquet, for which DuckDB-WASM fetches an extension from
// extensions.duckdb.org at run time: that hangs without internet and a strict CSP refuses it. Here
// parquet-wasm decodes Parquet to Arrow, and DuckDB takes the Arrow. Two more differences:
//  - a table is fetched only when a query names it, so a page loads (and needs the right to) its own files only;
//  - nothing times out after five seconds, as Evidence's does: a slow device is slow, not broken.

// DuckDB-WASM itself is imported when the first query runs: the build imports this file in Node, where merely
// loading DuckDB-WASM starts a worker.
import { Type, tableFromIPC } from 'apache-arrow';
import { base } from '$app/paths';
import { hasNo } from './another-version.js';

export { tableFromIPC };

/** The schema that pages name: `select … from headgate.mrr_months`. */
const SCHEMA = 'headgate';
const NAMED_TABLES = /\bheadgate\s*\.\s*"?([a-z_][a-z0-9_]*)"?/gi;

/**
 * @param {Promise<Response>} [asked] when it was asked for already
 * @returns {Promise<any>} the manifest of the newest run that this reader may see
 */
export async function fetchManifest(asked) {
  // no-cache: ask the server each time (it answers 304), so that a new run shows on the next load.
  const res = await (asked ?? fetch(`${base}/data/manifest.json`, { cache: 'no-cache' }));
  if (!res.ok) throw new Error(`The list of data files could not be read (HTTP ${res.status}).`);
  return res.json();
}

let manifestOnce;
export const manifest = () => (manifestOnce ??= fetchManifest(globalThis.window?.headgateEarly?.manifest));

let engineOnce;
/** Starts DuckDB-WASM once. Not before the first query needs it: it is by far the largest download. */
function engine() {
  return (engineOnce ??= (async () => {
    // Only the build for browsers with WebAssembly exceptions (Chrome 95, Firefox 100, Safari 15.2 and later).
    const [{ AsyncDuckDB, VoidLogger }, { default: wasmUrl }, { default: EngineWorker }] = await Promise.all([
      import('@duckdb/duckdb-wasm'),
      import('@duckdb/duckdb-wasm/dist/duckdb-eh.wasm?url'),
      import('@duckdb/duckdb-wasm/dist/duckdb-browser-eh.worker.js?worker'),
    ]);
    const db = new AsyncDuckDB(new VoidLogger(), new EngineWorker());
    await db.instantiate(new URL(wasmUrl, location.href).href);
    await db.open({
      // As Evidence does: its components take float64 and Date only.
      query: {
        castBigIntToDouble: true,
        castTimestampToDate: true,
        castDecimalToDouble: true,
        castDurationToTime64: true,
      },
    });
    const connection = await db.connect();
    // As Evidence does, so that page SQL means the same as its documentation says.
    await connection.query('set ieee_floating_point_ops = false');
    await connection.query('set old_implicit_casting = true');
    // A function that would need an extension must fail at once, and not hang on a download.
    await connection.query('set autoinstall_known_extensions = false');
    await connection.query('set autoload_known_extensions = false');
    await connection.query(`create schema if not exists ${SCHEMA}`);
    // How a stored number is shown: the product says it once, for its own engine and for this one.
    for (const macro of (await manifest()).macros) await connection.query(macro);
    return { db, connection };
  })());
}

let decoderOnce;
/** Starts the Parquet decoder once. */
function decoder() {
  return (decoderOnce ??= (async () => {
    const [{ default: init, readParquet }, { default: wasmUrl }] = await Promise.all([
      import('parquet-wasm/esm/arrow1.js'),
      import('parquet-wasm/esm/arrow1_bg.wasm?url'),
    ]);
    await init(new URL(wasmUrl, location.href).href);
    return readParquet;
  })());
}

const quoted = (name) => `"${name.replaceAll('"', '""')}"`;

const tables = new Map();
/** Fetches one table into the engine, once. @param {string} name */
function loadTable(name) {
  let loading = tables.get(name);
  if (!loading) {
    loading = (async () => {
      const file = (await manifest()).tables[name];
      if (!file) throw new Error(`The data of "${name}" is not here, or not for your role.`);
      const [{ connection }, readParquet, answer] = await Promise.all([
        engine(),
        decoder(),
        fetch(`${base}/data/${file}`),
      ]);
      if (!answer.ok) throw new Error(`The data of "${name}" could not be read (HTTP ${answer.status}).`);
      const { rows, columns } = JSON.parse(answer.headers.get('headgate-table'));
      if (rows === 0) {
        // parquet-wasm 0.5.0 panics on a file without rows, so its columns come beside it.
        const typed = columns.map(([column, type]) => `${quoted(column)} ${type}`);
        await connection.query(`create table ${SCHEMA}.${quoted(name)} (${typed.join(', ')})`);
        return;
      }
      const arrow = readParquet(new Uint8Array(await answer.arrayBuffer())).intoIPCStream();
      await connection.insertArrowFromIPCStream(arrow, { schema: SCHEMA, name, create: true });
    })();
    tables.set(name, loading);
    // A failed fetch may be tried again by the next query.
    loading.catch(() => tables.delete(name));
  }
  return loading;
}

/**
 * Gets ready for the first filter, and for a reader whose network goes: the engine, and what a page's queries read.
 *
 * @param {string} route e.g. "/growth"
 */
export async function warm(route) {
  const asked = (await askedBy(route)) ?? {};
  await Promise.all([engine(), decoder(), ...Object.keys(asked).flatMap(tablesIn).map(loadTable)]);
}

// What queries answer, by their text: { columns: [[name, DuckDB type]], rows: [[value]] }, or a promise of it.
// First those that the product worked out when the run was made: with them a page needs no engine until a filter is
// changed. They are found by the exact text of the SQL and come with the run's manifest, so they are the answers of this
// run or they are not there. Then those that the engine gave: nothing that a page reads changes while it is open.
const answers = new Map();

const askedOnce = new Map();
/** The prepared results of a page; nothing where there are none. */
function askedBy(route) {
  if (!askedOnce.has(route)) {
    const asked = manifest().then(async ({ prepared }) => {
      const file = prepared?.[route];
      const res = file && (await fetch(`${base}/data/${file}`));
      // Without them the engine answers: slower, the same figures.
      return res?.ok ? res.json() : undefined;
    });
    askedOnce.set(route, asked);
    asked.catch(() => askedOnce.delete(route));
  }
  return askedOnce.get(route);
}

/** Takes in the prepared results of one page. @param {string} route e.g. "/growth" */
export async function loadPrepared(route) {
  for (const [sql, result] of Object.entries((await askedBy(route)) ?? {})) answers.set(sql, result);
}

// How Evidence's Query class (sdk 4.0.2, pinned) words what it runs: a comment, then the page's text wrapped once, as
// it is (Data), behind DESCRIBE (Columns) or inside a count (Length). One answer serves all three.
const WRAPPED =
  /^\s*(?:----[^\n]*\n)?(DESCRIBE |SELECT COUNT\(\*\) as rowCount FROM \()?SELECT \* FROM \(([\s\S]*)\) AS "inputQuery-[^"]*"\)?\s*$/;

/** @param {string} sql @returns {Promise<Record<string, unknown>[]>} */
export async function query(sql) {
  const [, about, text] = WRAPPED.exec(sql) ?? [];
  const { columns, rows } = await answerOf((text ?? sql).trim());
  if (about?.startsWith('SELECT')) return [{ rowCount: rows.length }];
  if (about) return columns.map(([column_name, column_type]) => ({ column_name, column_type }));
  const types = columns.map(([name, type]) => [name, duckdbToEvidence(type)]);
  const records = rows.map((row) =>
    Object.fromEntries(
      row.map((value, i) => [
        types[i][0],
        types[i][1] === 'date' && value !== null ? new Date(value) : value,
      ]),
    ),
  );
  return withTypes(records, types);
}

/** @param {string} sql */
function answerOf(sql) {
  let answer = answers.get(sql);
  if (!answer) {
    answer = askEngine(sql);
    answers.set(sql, answer);
    // What failed (a network that was away) may be asked again.
    answer.catch(() => answers.delete(sql));
  }
  return answer;
}

async function askEngine(sql) {
  // Start everything at once: the engine, the decoder and the files do not wait for each other.
  const [{ connection }] = await Promise.all([engine(), ...tablesIn(sql).map(loadTable)]);
  const table = await connection.query(sql).catch(async (error) => {
    throw isMissing(error) ? new Error(await whatIsMissing(error)) : error;
  });
  const vectors = table.schema.fields.map((_, i) => table.getChildAt(i));
  return {
    columns: table.schema.fields.map(({ name, type }) => [name, duckdbType(type)]),
    rows: Array.from({ length: table.numRows }, (_, row) => vectors.map((vector) => vector.get(row))),
  };
}

/** A run of another version may lack what this page's text names. */
const isMissing = ({ message }) => /^(Binder|Catalog) Error/.test(message);

/** @param {Error} error */
async function whatIsMissing({ message }) {
  const { run } = await manifest();
  const [, name = 'a part'] = /"([^"]*)"|with name (\S+)/.exec(message)?.filter(Boolean) ?? [];
  return hasNo(run, name);
}

const tablesIn = (sql) => [...new Set(Array.from(sql.matchAll(NAMED_TABLES), ([, name]) => name.toLowerCase()))];

/** @param {string} type */
function duckdbToEvidence(type) {
  if (/^(DATE|TIMESTAMP)/.test(type)) return 'date';
  if (/INT|^(DOUBLE|FLOAT|DECIMAL)/.test(type)) return 'number';
  return type === 'BOOLEAN' ? 'boolean' : 'string';
}

/** The name that DuckDB has for what Arrow carries; Evidence's components tell four kinds apart. */
function duckdbType(type) {
  switch (type.typeId) {
    case Type.Date:
    case Type.Timestamp:
      return 'TIMESTAMP';
    case Type.Float:
    case Type.Int:
    case Type.Decimal:
      return 'DOUBLE';
    case Type.Bool:
      return 'BOOLEAN';
    default:
      return 'VARCHAR';
  }
}

/** Rows with the column types that Evidence's components look for. @param {any[]} rows @param {[string, string][]} types */
function withTypes(rows, types) {
  Object.defineProperty(rows, '_evidenceColumnTypes', {
    enumerable: false,
    value: types.map(([name, evidenceType]) => ({ name, evidenceType, typeFidelity: 'precise' })),
  });
  return rows;
}
