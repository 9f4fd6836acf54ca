/** What a stored number says to a person, brought into words here and not by the product. */
export type Unit =
  | 'text'
  | 'count'
  | 'quantity'
  | 'minor'
  | 'micros'
  | 'ppm'
  | 'per one'
  | 'seconds'
  | 'day'
  | 'month'
  | 'minute';

/** As a page may say it: figures leave zeros out that tables show. */
export function wordsFor(unit: string, value: string | null): string[] {
  if (value === null) return ['–'];
  const number = Math.abs(Number(value));
  switch (unit) {
    case 'minor':
      return [exactly(number / 100, 2)];
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
    case 'months':
      return halves(number / 100_000).map(
        (tenths) => `${atMost(tenths / 10, 1)} ${tenths === 10 ? 'month' : 'months'}`,
      );
    case 'days':
      return [`${exactly(number, 0)} days`];
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
