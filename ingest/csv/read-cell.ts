import { InputError } from '../../core/errors.js';
import type { EventProblemCode } from '../../core/events/problems.js';
import { formatDecimal, isQuantity, tryParseDecimal } from '../../core/decimal.js';
import { currencyCode, isCurrency, parseMajor } from '../../core/money.js';
import { formatDate, formatInstant, type Instant } from '../../core/time.js';
import { dateIn } from '../../core/calendar.js';
import type { Cell } from './mapping.js';
import { readTime } from './time-format.js';

/** A row by column name, and what its times without an offset mean. */
export interface Row {
  readonly cells: ReadonlyMap<string, string>;
  readonly zone: string;
}

/** A cell that can't be read as the mapping says. */
export class CellError extends Error {
  constructor(
    readonly code: EventProblemCode,
    readonly column: string,
    message: string,
  ) {
    super(message);
  }
}

const TRUE_WORDS = new Set(['true', 'yes', 'y', '1', 't']);
const FALSE_WORDS = new Set(['false', 'no', 'n', '0', 'f']);
const SHOWN_LENGTH = 40;

/** `{column}` filled in; undefined when every column in it is empty. */
export function fillTemplate(template: string, { cells }: Row): string | undefined {
  let columns = 0;
  let filled = 0;
  const text = template.replaceAll(/\{([^{}]+)\}/g, (_, column: string) => {
    const cell = cells.get(column)?.trim() ?? '';
    columns += 1;
    if (cell !== '') filled += 1;
    return cell;
  });
  return columns > 0 && filled === 0 ? undefined : text;
}

/** Columns that a template names. */
export function columnsOf(template: string): string[] {
  return [...template.matchAll(/\{([^{}]+)\}/g)].map(([, column = '']) => column);
}

/**
 * The value for the event, or undefined for an empty cell: the field is then left out.
 *
 * @throws CellError when the text is not what the mapping says
 */
export function readCell(cell: Cell, row: Row): unknown {
  const column = cell.column ?? cell.template ?? '';
  const text = cell.column === undefined ? fillTemplate(column, row) : row.cells.get(cell.column)?.trim();
  if (cell.map && text !== undefined && Object.hasOwn(cell.map, text)) return cell.map[text];
  if (text === undefined || text === '') return cell.default;
  switch (cell.as) {
    case 'text':
      return text;
    case 'boolean':
      return readBoolean(text, column);
    case 'integer':
      return readInteger(plainNumber(text, cell), column);
    case 'decimal':
      return readDecimal(plainNumber(text, cell), column);
    case 'minor':
      return readMinor(plainNumber(text, cell), cell, column, row);
    case 'instant':
      return formatInstant(requireTime(text, cell, column, row));
    case 'date':
      return formatDate(dateIn(requireTime(text, cell, column, row), row.zone));
  }
}

/** The instant that an event happened: a cell's, whatever it is read as. */
export function readInstant(cell: Cell, row: Row): Instant | undefined {
  const column = cell.column ?? cell.template ?? '';
  const text = cell.column === undefined ? fillTemplate(column, row) : row.cells.get(cell.column)?.trim();
  if (text === undefined || text === '') return undefined;
  return requireTime(text, cell, column, row);
}

function requireTime(text: string, { format = 'iso' }: Cell, column: string, { zone }: Row): Instant {
  const instant = readTime(text, format, zone);
  if (instant !== null) return instant;
  throw new CellError('invalid_instant', column, `"${shown(text)}" is not a time in the format ${format}`);
}

function readBoolean(text: string, column: string): boolean {
  const word = text.toLowerCase();
  if (TRUE_WORDS.has(word)) return true;
  if (FALSE_WORDS.has(word)) return false;
  throw new CellError('wrong_type', column, `"${shown(text)}" is neither yes nor no; map it in the mapping`);
}

function readInteger(text: string, column: string): number | string {
  if (/^[+-]?\d+$/.test(text)) {
    const number = Number(text);
    return Number.isSafeInteger(number) ? number : BigInt(text).toString();
  }
  throw new CellError('wrong_type', column, `"${shown(text)}" is not a whole number`);
}

function readDecimal(text: string, column: string): string {
  const decimal = tryParseDecimal(text);
  if (decimal !== null && isQuantity(decimal)) return formatDecimal(decimal);
  throw new CellError('invalid_decimal', column, `"${shown(text)}" is not a number that fits`);
}

/** Exact, through no float: 19.90 USD is 1990, and 19.999 USD is refused rather than rounded. */
function readMinor(text: string, cell: Cell, column: string, row: Row): number | string {
  const code = fillTemplate(cell.currency ?? '', row) ?? '';
  if (!isCurrency(code)) {
    throw new CellError('unknown_currency', column, `"${shown(code)}" is not an ISO 4217 currency code`);
  }
  try {
    const { amountMinor } = parseMajor(text, currencyCode(code));
    const number = Number(amountMinor);
    return Number.isSafeInteger(number) ? number : amountMinor.toString();
  } catch (error) {
    if (error instanceof InputError) throw new CellError('money_not_integer', column, error.message);
    throw error;
  }
}

/** `1.234,50` and `1,234.50` are both 1234.50, by the mapping's decimal mark. */
function plainNumber(text: string, { decimalMark }: Cell): string {
  const thousands = decimalMark === '.' ? ',' : '.';
  return text
    .replaceAll(/[\s\u00a0']/g, '')
    .replaceAll(thousands, '')
    .replace(decimalMark, '.');
}

function shown(text: string): string {
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
}
