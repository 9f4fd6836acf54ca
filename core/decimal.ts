import { InputError, invariant } from './errors.js';

/** An exact decimal number: `unscaled / 10^scale`. Quantities and unit rates are these, never floats. */
export interface Decimal {
  readonly unscaled: bigint;
  /** Digits after the point; at least 0. */
  readonly scale: number;
}

/** What the warehouse's DECIMAL(38, 12) holds with room to sum: more digits than this are refused at the edge. */
export const MAX_QUANTITY_INTEGER_DIGITS = 18;
export const MAX_QUANTITY_FRACTION_DIGITS = 12;

/** Far above any double's exponent; keeps `1e999999999` from becoming a gigabyte of zeros. */
const MAX_EXPONENT = 400;
/** Bounds the work that one number can ask for. */
const MAX_TEXT_LENGTH = 1_000;

const DECIMAL_TEXT = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,6}))?$/;

export const ZERO: Decimal = { unscaled: 0n, scale: 0 };

/** Reads `12`, `-0.50`, `1e-7`; null when the text is no decimal number (or one of absurd size). */
export function tryParseDecimal(text: string): Decimal | null {
  if (text.length > MAX_TEXT_LENGTH) return null;
  const match = DECIMAL_TEXT.exec(text);
  if (match === null) return null;
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = match;
  const exponent = Number(exponentText);
  if (Math.abs(exponent) > MAX_EXPONENT) return null;

  const digits = BigInt(whole + fraction);
  const unscaled = sign === '-' ? -digits : digits;
  const scale = fraction.length - exponent;
  return scale >= 0 ? { unscaled, scale } : { unscaled: unscaled * tenToThe(-scale), scale: 0 };
}

/** @throws InputError `invalid_decimal` */
export function parseDecimal(text: string): Decimal {
  const decimal = tryParseDecimal(text);
  if (decimal === null) {
    throw new InputError(
      'invalid_decimal',
      `"${text.slice(0, 40)}" is not a decimal number; write it like 12 or 0.005`,
    );
  }
  return decimal;
}

export function decimalOf(integer: bigint): Decimal {
  return { unscaled: integer, scale: 0 };
}

/** The decimal that a JSON number shows (its shortest text), not the binary fraction behind it. */
export function decimalOfNumber(value: number): Decimal {
  invariant(Number.isFinite(value), 'decimalOfNumber: the value must be finite');
  return parseDecimal(String(value));
}

/** Plain notation without an exponent and without trailing zeros; equal decimals give equal text. */
export function formatDecimal(value: Decimal): string {
  const { unscaled, scale } = normalize(value);
  if (scale === 0) return unscaled.toString();
  const digits = abs(unscaled)
    .toString()
    .padStart(scale + 1, '0');
  const sign = unscaled < 0n ? '-' : '';
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** The same number at its smallest scale. */
export function normalize({ unscaled, scale }: Decimal): Decimal {
  while (scale > 0 && unscaled % 10n === 0n) {
    unscaled /= 10n;
    scale -= 1;
  }
  return { unscaled, scale };
}

export function addDecimals(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale);
  return { unscaled: atScale(a, scale) + atScale(b, scale), scale };
}

export function negateDecimal(value: Decimal): Decimal {
  return { unscaled: -value.unscaled, scale: value.scale };
}

export function subtractDecimals(a: Decimal, b: Decimal): Decimal {
  return addDecimals(a, negateDecimal(b));
}

export function multiplyDecimals(a: Decimal, b: Decimal): Decimal {
  return { unscaled: a.unscaled * b.unscaled, scale: a.scale + b.scale };
}

/** Negative, 0 or positive, as a sort comparator wants it. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const scale = Math.max(a.scale, b.scale);
  const difference = atScale(a, scale) - atScale(b, scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** Rounds to `scale` digits after the point, half away from zero. */
export function roundDecimal(value: Decimal, scale: number): Decimal {
  if (value.scale <= scale) return { unscaled: atScale(value, scale), scale };
  return { unscaled: divideRounded(value.unscaled, tenToThe(value.scale - scale)), scale };
}

/** The integer nearest to the value, half away from zero. */
export function roundToInteger(value: Decimal): bigint {
  return roundDecimal(value, 0).unscaled;
}

/**
 * The one rounding rule of Headgate: to the nearest integer, half away from zero.
 * It is symmetric, so a reversal takes back exactly what the original gave.
 */
export function divideRounded(numerator: bigint, denominator: bigint): bigint {
  invariant(denominator !== 0n, 'divideRounded: the denominator must not be 0');
  const isNegative = numerator < 0n !== denominator < 0n;
  const top = abs(numerator);
  const bottom = abs(denominator);
  // (2a + b) / 2b floors to the nearest integer with halves going up; the sign is put back afterwards.
  const magnitude = (2n * top + bottom) / (2n * bottom);
  return isNegative ? -magnitude : magnitude;
}

/** Division towards minus infinity, which BigInt's own (towards zero) is not. */
export function divideFloored(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  const isExact = quotient * denominator === numerator;
  return !isExact && numerator < 0n !== denominator < 0n ? quotient - 1n : quotient;
}

/** Parts per million, half away from zero; null when there is nothing to divide by. */
export function partsPerMillion(numerator: bigint, denominator: bigint): bigint | null {
  return denominator === 0n ? null : divideRounded(numerator * 1_000_000n, denominator);
}

/** Whether a quantity fits the columns that will hold it. */
export function isQuantity(value: Decimal): boolean {
  const { unscaled, scale } = normalize(value);
  return (
    scale <= MAX_QUANTITY_FRACTION_DIGITS && abs(unscaled) < tenToThe(MAX_QUANTITY_INTEGER_DIGITS + scale)
  );
}

export function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}

export function tenToThe(exponent: number): bigint {
  return 10n ** BigInt(exponent);
}

function atScale(value: Decimal, scale: number): bigint {
  return value.unscaled * tenToThe(scale - value.scale);
}
