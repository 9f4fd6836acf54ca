/*
 * What a stored number says to a person, brought into words here and not by the product: rounding, units, and how ratios are read are said a
 * second time.
 */
export type Unit =
  | 'text'
  | 'count'
  | 'quantity'
  | 'minor'
  | 'micros'
  | 'ppm'
  | 'per one'
  | 'months'
  | 'seconds'
  | 'hours'
  | 'day'
  | 'month'
  | 'minute';

/** Ratios that are no shares to people. */
export const READ_AS: Readonly<Record<string, Unit>> = {
  attach_rate: 'per one',
  quick_ratio: 'per one',
  ltv_cac: 'per one',
  payback_months: 'months',
};

/** What a number may say: more than one where a half is rounded, or where a figure leaves out zeros that a table shows. */
export function wordsFor(unit: string, value: string | null, currency: string | null = null): string[] {
  if (value === null) return ['–'];
  const number = Math.abs(Number(value));
  const words = unsigned(unit, value, number, currency);
  const isText = unit === 'text' || unit === 'day' || unit === 'month' || unit === 'minute';
  if (isText || !value.startsWith('-')) return words;
  // What is rounded to nothing has no sign.
  return words.map((word) => (/[1-9]/.test(word) ? `-${word}` : word));
}

function unsigned(unit: string, value: string, number: number, currency: string | null): string[] {
  switch (unit) {
    case 'minor': {
      const digits = digitsOf(currency);
      return [exactly(number / 10 ** digits, digits)];
    }
    case 'micros':
      return halves(number / 100).map((tenThousandths) => exactly(tenThousandths / 10_000, 4));
    case 'ppm':
      return halves(number / 1000).flatMap((tenths) => [
        `${exactly(tenths / 10, 1)}%`,
        `${atMost(tenths / 10, 1)}%`,
      ]);
    case 'per one':
      return halves(number / 10_000).flatMap((hundredths) => [
        exactly(hundredths / 100, 2),
        atMost(hundredths / 100, 2),
      ]);
    case 'hours':
      return halves(number / 36).map((hundredths) => exactly(hundredths / 100, 2));
    case 'months':
      return halves(number / 100_000).map(
        (tenths) => `${atMost(tenths / 10, 1)} ${tenths === 10 ? 'month' : 'months'}`,
      );
    case 'days':
      return [`${exactly(number, 0)} ${number === 1 ? 'day' : 'days'}`];
    case 'milliseconds':
      return [`${exactly(number, 0)} ms`];
    case 'seconds':
      return [spanOf(number)];
    case 'text':
      return [value];
    case 'day':
      return [value.slice(0, 10)];
    case 'minute':
      return [value.slice(0, 16).replace('T', ' ')];
    case 'month':
      return [`${MONTHS[Number(value.slice(5, 7)) - 1] ?? ''} ${value.slice(0, 4)}`];
    case 'quantity':
      return [quantityOf(value)];
    default:
      return [number.toLocaleString('en')];
  }
}

/** `reporting:EUR` is in euros; `none` is an amount of nothing. */
export const currencyIn = (currency: string | null): string =>
  currency === null || currency === 'none' ? '' : currency.replace('reporting:', '');

/** ISO 4217, of those that are not like most. */
const DIGITS: Readonly<Record<string, number>> = { JPY: 0, KWD: 3 };
const digitsOf = (currency: string | null): number => DIGITS[currencyIn(currency)] ?? 2;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** A half goes up or down, as binary fractions have it. */
const halves = (number: number): number[] => [...new Set([Math.round(number), Math.ceil(number - 0.5)])];
const exactly = (number: number, digits: number): string =>
  number.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
const atMost = (number: number, digits: number): string =>
  number.toLocaleString('en', { maximumFractionDigits: digits });

function quantityOf(digits: string): string {
  const [whole = '', fraction = ''] = digits.replace('-', '').split('.');
  const kept = fraction.replace(/0+$/, '');
  return BigInt(whole).toLocaleString('en') + (kept === '' ? '' : `.${kept}`);
}

function spanOf(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} days`;
}
