import { CURRENCY_CODES, CURRENCY_EXPONENTS } from './currencies.js';
import {
  abs,
  divideRounded,
  multiplyDecimals,
  roundToInteger,
  tenToThe,
  tryParseDecimal,
  type Decimal,
} from './decimal.js';
import { InputError, invariant } from './errors.js';
import { didYouMean } from './suggest.js';

/** An ISO 4217 code that is known to be one; `currencyCode` is the only way in. */
export type CurrencyCode = string;

/** An amount in the currency's minor unit (cent, yen, fils). Never a float. */
export interface Money {
  readonly amountMinor: bigint;
  readonly currency: CurrencyCode;
}

/** A price per unit in the currency's MAJOR unit, as exact as it was written: 0.0035 USD per operation. */
export interface UnitRate {
  readonly perUnit: Decimal;
  readonly currency: CurrencyCode;
}

const SYMBOLS: Readonly<Record<string, string>> = {
  USD: '$',
  EUR: '€',
  GBP: '£',
  JPY: '¥',
  INR: '₹',
  KRW: '₩',
};
const ONE_MILLION = 1_000_000n;

export function isCurrency(code: string): boolean {
  return CURRENCY_EXPONENTS.has(code);
}

/** @throws InputError `unknown_currency`, with a suggestion where one is near */
export function currencyCode(code: string): CurrencyCode {
  if (isCurrency(code)) return code;
  throw new InputError(
    'unknown_currency',
    `"${code.slice(0, 20)}" is not an ISO 4217 currency code${didYouMean(code.toUpperCase(), CURRENCY_CODES)}`,
  );
}

/** Digits after the point: 2 for USD, 0 for JPY, 3 for KWD. */
export function currencyExponent(currency: CurrencyCode): number {
  const exponent = CURRENCY_EXPONENTS.get(currency);
  invariant(
    exponent !== undefined,
    `currencyExponent: "${currency}" must have been checked to be a currency`,
  );
  return exponent;
}

export function money(amountMinor: bigint, currency: CurrencyCode): Money {
  return { amountMinor, currency: currencyCode(currency) };
}

export function addMoney(a: Money, b: Money): Money {
  requireSameCurrency(a, b);
  return { amountMinor: a.amountMinor + b.amountMinor, currency: a.currency };
}

export function subtractMoney(a: Money, b: Money): Money {
  return addMoney(a, negateMoney(b));
}

export function negateMoney({ amountMinor, currency }: Money): Money {
  return { amountMinor: -amountMinor, currency };
}

/** The sum of amounts that are all in `currency`; 0 of it when there are none. */
export function sumMoney(amounts: readonly Money[], currency: CurrencyCode): Money {
  return amounts.reduce(addMoney, { amountMinor: 0n, currency });
}

/**
 * Splits `total` by `weights` to the last minor unit (largest remainder, ties to the lower index).
 *
 * @param weights non-negative, at least one above 0
 * @returns amounts in the order of `weights`; they sum to `total` exactly, negative totals included
 * @throws InvariantError when the weights can't be a split
 * @see Hamilton's method (Balinski & Young, Fair Representation, ch. 2)
 */
export function allocate(total: Money, weights: readonly bigint[]): Money[] {
  const weightSum = weights.reduce((sum, weight) => sum + weight, 0n);
  invariant(weightSum > 0n, 'allocate: weights must sum to more than 0');
  invariant(
    weights.every((weight) => weight >= 0n),
    'allocate: no weight may be negative',
  );

  const shares = weights.map((weight, index) => {
    const product = total.amountMinor * weight;
    // BigInt division truncates towards zero, so remainders carry the sign of the total.
    return { index, amountMinor: product / weightSum, remainder: abs(product % weightSum) };
  });
  const unit = total.amountMinor < 0n ? -1n : 1n;
  let leftOver = abs(total.amountMinor) - abs(shares.reduce((sum, share) => sum + share.amountMinor, 0n));
  const byRemainder = [...shares].sort(
    (a, b) => (b.remainder > a.remainder ? 1 : b.remainder < a.remainder ? -1 : 0) || a.index - b.index,
  );
  for (const share of byRemainder) {
    if (leftOver === 0n) break;
    share.amountMinor += unit;
    leftOver -= 1n;
  }
  return shares.map(({ amountMinor }) => ({ amountMinor, currency: total.currency }));
}

/** `quantity` units at `rate`, rounded once, to the minor unit, half away from zero. */
export function multiplyRate(rate: UnitRate, quantity: Decimal): Money {
  const minorUnits: Decimal = { unscaled: tenToThe(currencyExponent(rate.currency)), scale: 0 };
  const exact = multiplyDecimals(multiplyDecimals(rate.perUnit, quantity), minorUnits);
  return { amountMinor: roundToInteger(exact), currency: rate.currency };
}

/** A share of an amount, in parts per million, rounded once, half away from zero. */
export function multiplyPpm({ amountMinor, currency }: Money, ppm: bigint): Money {
  return { amountMinor: divideRounded(amountMinor * ppm, ONE_MILLION), currency };
}

/**
 * Reads an amount in major units ("79", "19.90") exactly.
 *
 * @throws InputError when the text is no number or has more digits than the currency's minor unit
 */
export function parseMajor(text: string, currency: CurrencyCode): Money {
  const exponent = currencyExponent(currencyCode(currency));
  const decimal = tryParseDecimal(text);
  if (decimal === null) {
    throw new InputError(
      'invalid_decimal',
      `"${text.slice(0, 40)}" is not an amount; write it like 79 or 19.90`,
    );
  }
  const unscaled = decimal.unscaled * tenToThe(exponent);
  const divisor = tenToThe(decimal.scale);
  if (unscaled % divisor !== 0n) {
    throw new InputError(
      'amount_out_of_range',
      `${text} has more digits than ${currency} has (${exponent} after the point); round it`,
    );
  }
  return { amountMinor: unscaled / divisor, currency };
}

/** The amount in major units as plain text, every digit of the minor unit shown: "20305.00", "-0.05", "500". */
export function formatMajor({ amountMinor, currency }: Money): string {
  const exponent = currencyExponent(currency);
  const digits = abs(amountMinor)
    .toString()
    .padStart(exponent + 1, '0');
  const sign = amountMinor < 0n ? '-' : '';
  const whole = digits.slice(0, digits.length - exponent);
  return exponent === 0 ? `${sign}${whole}` : `${sign}${whole}.${digits.slice(-exponent)}`;
}

/** For people: "$20,305.00", "-€1.50", "CHF 12.00". */
export function formatMoney(amount: Money): string {
  const [whole = '0', fraction] = formatMajor({ ...amount, amountMinor: abs(amount.amountMinor) }).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  const sign = amount.amountMinor < 0n ? '-' : '';
  const prefix = SYMBOLS[amount.currency] ?? `${amount.currency} `;
  return `${sign}${prefix}${grouped}${fraction === undefined ? '' : `.${fraction}`}`;
}

function requireSameCurrency(a: Money, b: Money): void {
  if (a.currency === b.currency) return;
  throw new InputError(
    'currency_mismatch',
    `${a.currency} and ${b.currency} can't be added; convert one of them at a published rate first`,
  );
}
