import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { isNode, isPair, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import { parseCatalog, type Catalog } from '../core/catalog.js';
import type { CatalogProblem } from '../core/catalog/problems.js';
import { InputError } from '../core/errors.js';

/** A catalog and the text it came from. */
export interface CatalogFile {
  readonly file: string;
  readonly text: string;
  /** The document as written, plain JSON values: what a published version keeps and reads again. */
  readonly document: unknown;
  readonly catalog: Catalog;
}

/** A problem with its place: lines and columns from 1, as editors count. */
export interface PlacedProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** `plans.growth.allowances.ops`; empty for the file as a whole. */
  readonly path: string;
  readonly code: CatalogProblem['code'] | 'yaml';
  readonly message: string;
}

export type CatalogReading =
  | { readonly ok: true; readonly file: CatalogFile }
  | { readonly ok: false; readonly problems: readonly PlacedProblem[] };

/** Larger than any catalog a person writes; bounds what one request can make us parse. */
export const MAX_CATALOG_BYTES = 2 * 1024 * 1024;

/** @throws InputError `file_not_found` or `catalog_invalid`, whose message lists every problem with its place */
export async function loadCatalogFile(path: string): Promise<CatalogFile> {
  const reading = readCatalogText(await readText(path), basename(path));
  if (reading.ok) return reading.file;
  throw new InputError('catalog_invalid', reading.problems.map(formatProblem).join('\n'), {
    details: { problems: reading.problems },
  });
}

async function readText(path: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new InputError(
      'file_not_found',
      `catalog ${path}: can't be read; check the path and its permissions`,
      {
        cause,
        status: 404,
      },
    );
  }
  if (bytes.length > MAX_CATALOG_BYTES) {
    throw new InputError(
      'catalog_invalid',
      `catalog ${path}: larger than ${MAX_CATALOG_BYTES} bytes; is it a catalog?`,
    );
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new InputError('invalid_utf8', `catalog ${path}: is not UTF-8 text; save it as UTF-8`, { cause });
  }
}

/** Reads catalog text; `file` is what problems call it. */
export function readCatalogText(text: string, file: string): CatalogReading {
  const reading = readYaml(text, file);
  if (!reading.ok) return { ok: false, problems: [reading.problem] };
  const { yaml, lines, document } = reading;
  const result = parseCatalog(document);
  if (result.ok) return { ok: true, file: { file, text, document, catalog: result.catalog } };
  const problems = result.problems.map((problem) => ({
    file,
    ...placeOf(yaml, lines, problem),
    path: problem.path.join('.'),
    code: problem.code,
    message: problem.message,
  }));
  return { ok: false, problems: problems.sort((a, b) => a.line - b.line || a.column - b.column) };
}

type YamlReading =
  | { readonly ok: true; readonly yaml: Document; readonly lines: LineCounter; readonly document: unknown }
  | { readonly ok: false; readonly problem: PlacedProblem };

function readYaml(text: string, file: string): YamlReading {
  const lines = new LineCounter();
  const fail = (message: string, line: number, column: number): YamlReading => ({
    ok: false,
    problem: { file, line, column, path: '', code: 'yaml', message },
  });
  try {
    // YAML 1.2: `no` and `on` are words, days stay text.
    const yaml = parseDocument(text, { lineCounter: lines, version: '1.2', prettyErrors: false });
    const [first] = [...yaml.errors, ...yaml.warnings];
    if (first !== undefined) {
      const { line, col } = lines.linePos(first.pos[0]);
      const isTwice = first.code === 'DUPLICATE_KEY';
      return fail(isTwice ? 'this name stands here twice; remove one' : first.message, line, col);
    }
    return { ok: true, yaml, lines, document: yaml.toJS({ maxAliasCount: 1_000 }) };
  } catch (error) {
    // The parser recurses and bounds aliases: both throw instead of reporting.
    if (!(error instanceof RangeError || error instanceof ReferenceError)) throw error;
    return fail("this can't be read: nested too deeply, or too many aliases; write it out", 1, 1);
  }
}

/** `catalog frontier.yaml:41:7 plans.growth.allowances.ops: unknown meter "ops"; did you mean "ai_operations"?` */
export function formatProblem({ file, line, column, path, message }: PlacedProblem): string {
  return `catalog ${file}:${line}:${column} ${path === '' ? '' : `${path}: `}${message}`;
}

/** The place of a problem; where something is missing, that of the nearest thing around it. */
function placeOf(yaml: Document, lines: LineCounter, problem: CatalogProblem) {
  for (let length = problem.path.length; length > 0; length -= 1) {
    const path = problem.path.slice(0, length);
    // What is missing has no place of its own; the name of the map it is missing from tells more than its brace.
    const wantsKey = problem.at === 'key' || length < problem.path.length;
    const offset = (wantsKey ? keyOffset(yaml, path) : undefined) ?? valueOffset(yaml, path);
    if (offset !== undefined) {
      const { line, col } = lines.linePos(offset);
      return { line, column: col };
    }
  }
  return { line: 1, column: 1 };
}

function valueOffset(yaml: Document, path: CatalogProblem['path']): number | undefined {
  const node = yaml.getIn(path, true);
  return isNode(node) ? node.range?.[0] : undefined;
}

function keyOffset(yaml: Document, path: CatalogProblem['path']): number | undefined {
  const parent = path.length === 1 ? yaml.contents : yaml.getIn(path.slice(0, -1), true);
  if (typeof parent !== 'object' || parent === null || !('items' in parent) || !Array.isArray(parent.items)) {
    return undefined;
  }
  const key = path.at(-1);
  for (const item of parent.items) {
    if (isPair(item) && isScalar(item.key) && String(item.key.value) === String(key))
      return item.key.range?.[0];
  }
  return undefined;
}
