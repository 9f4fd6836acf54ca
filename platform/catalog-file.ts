import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parseCatalog, type Catalog } from '../core/catalog.js';
import type { CatalogProblem } from '../core/catalog/problems.js';
import { InputError } from '../core/errors.js';
import { placeOf, readYaml } from './yaml-places.js';

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
  const reading = readYaml(text);
  if (!reading.ok) {
    const { line, column, message } = reading;
    return { ok: false, problems: [{ file, line, column, path: '', code: 'yaml', message }] };
  }
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

/** `catalog frontier.yaml:41:7 plans.growth.allowances.ops: unknown meter "ops"; did you mean "ai_operations"?` */
export function formatProblem({ file, line, column, path, message }: PlacedProblem): string {
  return `catalog ${file}:${line}:${column} ${path === '' ? '' : `${path}: `}${message}`;
}
