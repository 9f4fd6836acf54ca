import { formatDecimal, tryParseDecimal } from './decimal.js';

/** What is wrong with a text that should be JSON, and at which UTF-16 position. */
export interface JsonFault {
  readonly message: string;
  readonly at: number;
}

type Strict = { ok: true; value: unknown } | ({ ok: false } & JsonFault);

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** A run of characters that need no thought inside a string. */
// eslint-disable-next-line no-control-regex -- control characters are exactly what must not be in there
const PLAIN_RUN = /[^"\\\u0000-\u001f]*/y;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

class Fault extends Error {
  constructor(
    message: string,
    readonly at: number,
  ) {
    super(message);
  }
}

/**
 * RFC 8259, strictly, and exact in its numbers. Slower than `JSON.parse`, so `parseJsonExact` comes here only
 * for texts that `JSON.parse` might bend.
 */
export function parseJsonStrictly(text: string, maxDepth: number): Strict {
  try {
    return { ok: true, value: new Parser(text, maxDepth).document() };
  } catch (error) {
    if (error instanceof Fault) return { ok: false, message: error.message, at: error.at };
    throw error;
  }
}

/** A plain recursive descent; the depth limit bounds the recursion. */
class Parser {
  #at = 0;

  constructor(
    private readonly text: string,
    private readonly maxDepth: number,
  ) {}

  document(): unknown {
    const value = this.value(0);
    this.skipSpace();
    if (this.#at < this.text.length) throw this.unexpected('nothing more');
    return value;
  }

  private value(depth: number): unknown {
    this.skipSpace();
    const character = this.text[this.#at];
    if (character === '{') return this.object(depth);
    if (character === '[') return this.array(depth);
    if (character === '"') return this.string();
    if (character === 't') return this.word('true', true);
    if (character === 'f') return this.word('false', false);
    if (character === 'n') return this.word('null', null);
    return this.number();
  }

  private object(depth: number): Record<string, unknown> {
    this.enter(depth);
    const members = new Map<string, unknown>();
    this.skipSpace();
    if (this.take('}')) return {};
    do {
      this.skipSpace();
      const keyAt = this.#at;
      if (this.text[keyAt] !== '"') throw this.unexpected('a key in double quotes');
      const key = this.string();
      if (members.has(key)) throw new Fault(`the key ${JSON.stringify(key)} is there twice`, keyAt);
      this.skipSpace();
      if (!this.take(':')) throw this.unexpected('":"');
      members.set(key, this.value(depth + 1));
      this.skipSpace();
    } while (this.take(','));
    if (!this.take('}')) throw this.unexpected('"," or "}"');
    // fromEntries defines properties, so that a key "__proto__" stays data.
    return Object.fromEntries(members);
  }

  private array(depth: number): unknown[] {
    this.enter(depth);
    const elements: unknown[] = [];
    this.skipSpace();
    if (this.take(']')) return elements;
    do {
      elements.push(this.value(depth + 1));
      this.skipSpace();
    } while (this.take(','));
    if (!this.take(']')) throw this.unexpected('"," or "]"');
    return elements;
  }

  private enter(depth: number): void {
    if (depth >= this.maxDepth) throw new Fault(`nested deeper than ${this.maxDepth}; flatten it`, this.#at);
    this.#at += 1;
  }

  private string(): string {
    const open = this.#at;
    this.#at += 1;
    let value = '';
    for (;;) {
      PLAIN_RUN.lastIndex = this.#at;
      const run = PLAIN_RUN.exec(this.text)?.[0] ?? '';
      value += run;
      this.#at += run.length;
      const character = this.text[this.#at];
      if (character === '"') break;
      if (character === '\\') value += this.escape();
      else if (character === undefined) throw new Fault('the text ends inside a string', open);
      else throw new Fault('a control character in a string must be escaped', this.#at);
    }
    this.#at += 1;
    if (value.includes('\u0000')) throw new Fault('a string must not hold a NUL character; remove it', open);
    if (LONE_SURROGATE.test(value))
      throw new Fault('a string holds half a surrogate pair; send whole characters', open);
    return value;
  }

  private escape(): string {
    const kind = this.text[this.#at + 1] ?? '';
    const simple = ESCAPES[kind];
    if (simple !== undefined) {
      this.#at += 2;
      return simple;
    }
    const digits = this.text.slice(this.#at + 2, this.#at + 6);
    if (kind !== 'u' || !/^[0-9a-fA-F]{4}$/.test(digits))
      throw new Fault('not an escape that JSON knows', this.#at);
    this.#at += 6;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  private number(): number | string {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.text);
    if (match === null) throw this.unexpected('a value');
    const [raw] = match;
    const exact = exactNumber(raw);
    if (exact === null)
      throw new Fault('the number is too large to keep exactly; send it as a string', this.#at);
    this.#at += raw.length;
    return exact;
  }

  private word<Value>(word: string, value: Value): Value {
    if (!this.text.startsWith(word, this.#at)) throw this.unexpected('a value');
    this.#at += word.length;
    return value;
  }

  private take(character: string): boolean {
    if (this.text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  private skipSpace(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at += 1;
    }
  }

  private unexpected(wanted: string): Fault {
    const found = this.text[this.#at];
    const what = found === undefined ? 'the text ends' : `found ${JSON.stringify(found)}`;
    return new Fault(`expected ${wanted}, but ${what}`, this.#at);
  }
}

/** The number itself when a double shows exactly what was written, else its decimal text; null when too large. */
function exactNumber(raw: string): number | string | null {
  const written = tryParseDecimal(raw);
  if (written === null) return null;
  const plain = formatDecimal(written);
  const value = Number(raw);
  const isBeyondSafe = Number.isInteger(value) && !Number.isSafeInteger(value);
  if (isBeyondSafe || !Number.isFinite(value)) return plain;
  const shown = tryParseDecimal(String(value));
  return shown !== null && formatDecimal(shown) === plain ? value : plain;
}
