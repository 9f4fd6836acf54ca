import { isNode, isPair, isScalar, LineCounter, parseDocument, type Document } from 'yaml';

type Path = readonly (string | number)[];

/** Lines and columns from 1, as editors count. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

type YamlReading =
  | { readonly ok: true; readonly yaml: Document; readonly lines: LineCounter; readonly document: unknown }
  | (Place & { readonly ok: false; readonly message: string });

/** Reads YAML so that every value can be found again in the text. */
export function readYaml(text: string): YamlReading {
  const lines = new LineCounter();
  const fail = (message: string, line: number, column: number): YamlReading => ({
    ok: false,
    line,
    column,
    message,
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

/** The place of a problem; where something is missing, that of the nearest thing around it. */
export function placeOf(
  yaml: Document,
  lines: LineCounter,
  problem: { readonly path: Path; readonly at: 'key' | 'value' },
): Place {
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

function valueOffset(yaml: Document, path: Path): number | undefined {
  const node = yaml.getIn(path, true);
  return isNode(node) ? node.range?.[0] : undefined;
}

function keyOffset(yaml: Document, path: Path): number | undefined {
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
