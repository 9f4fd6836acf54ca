import { COMPARATOR_SIGNS, READ_AS } from '../core/catalog/metric-names.js';
import { formatMoney, type Money } from '../core/money.js';

const WHOLE = new Intl.NumberFormat('en-US');

export function showMoney(amountMinor: bigint, currency: string): string {
  return formatMoney({ amountMinor, currency } satisfies Money);
}

/** `1234567` ppm → `123.5%`: one digit, for reading; the exact figure is in `--json`. */
export function showPpm(ppm: bigint): string {
  const tenths = (ppm < 0n ? -1n : 1n) * ((abs(ppm) + 500n) / 1000n);
  return `${tenths < 0n ? '-' : ''}${WHOLE.format(abs(tenths) / 10n)}.${abs(tenths) % 10n}%`;
}

export function showCount(count: bigint): string {
  return WHOLE.format(count);
}

/** Seconds as the two largest units: `11 min 40 s`, `2 d 3 h`; less than none (a gap to a goal) with a sign before. */
export function showSeconds(seconds: bigint): string {
  if (seconds < 0n) return `-${showSeconds(-seconds)}`;
  const units: readonly (readonly [bigint, string])[] = [
    [86_400n, 'd'],
    [3600n, 'h'],
    [60n, 'min'],
    [1n, 's'],
  ];
  const first = units.findIndex(([size]) => seconds >= size);
  if (first === -1) return '0 s';
  let rest = seconds;
  const parts: string[] = [];
  for (const [size, name] of units.slice(first, first + 2)) {
    if (rest / size > 0n) parts.push(`${rest / size} ${name}`);
    rest %= size;
  }
  return parts.join(' ');
}

/** `1234567.500000000000` → `1,234,567.5`: quantities are exact decimals, and stay so; zeros at the end say nothing. */
export function showQuantity(decimal: string): string {
  const [whole = '', digits = ''] = decimal.split('.');
  const fraction = digits.replace(/0+$/, '');
  const grouped = whole.replaceAll(/\B(?=(\d{3})+$)/g, ',');
  return fraction === '' ? grouped : `${grouped}.${fraction}`;
}

const SPARKS = '▁▂▃▄▅▆▇█';

/** A row of bars for a row of values, lowest to highest. */
export function sparkline(values: readonly bigint[]): string {
  if (values.length === 0) return '';
  const low = values.reduce((a, b) => (b < a ? b : a));
  const high = values.reduce((a, b) => (b > a ? b : a));
  const span = high - low;
  return values.map((value) => SPARKS[span === 0n ? 3 : Number(((value - low) * 7n) / span)] ?? '').join('');
}

/** Millionths of the major unit, to four places: `1234567` → `1.2346`. */
function showMicros(micros: bigint): string {
  const tenThousandths = (abs(micros) + 50n) / 100n;
  const fraction = (tenThousandths % 10_000n).toString().padStart(4, '0');
  const sign = micros < 0n && tenThousandths > 0n ? '-' : '';
  return `${sign}${WHOLE.format(tenThousandths / 10_000n)}.${fraction}`;
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}

/** `reporting:EUR` is all currencies brought to one; `none` is an amount of nothing. */
const currencyOf = (currency: string | null): string =>
  currency === null || currency === 'none' ? '' : currency.replace('reporting:', '');

/** A number of the registry as people read it, by its unit. */
export function showValue(value: bigint | null, unit: string, currency: string | null): string {
  if (value === null) return '–';
  switch (unit) {
    case 'minor':
      return showMoney(value, currencyOf(currency) || 'USD');
    case 'micros':
      return `${showMicros(value)} ${currencyOf(currency)}`.trim();
    case 'ppm':
      return showPpm(value);
    case 'seconds':
      return showSeconds(value);
    case 'days':
      return `${showCount(value)} ${abs(value) === 1n ? 'day' : 'days'}`;
    case 'milliseconds':
      return `${showCount(value)} ms`;
    default:
      return showCount(value);
  }
}

/** How a figure should stand to a goal: `≥`; a word that is not known is said as it is. */
export function showComparator(comparator: string): string {
  return COMPARATOR_SIGNS.get(comparator) ?? comparator;
}

/** 2,255,000 ppm of packages per org is 2.26 packages. */
export function showPerOne(ppm: bigint): string {
  const hundredths = (abs(ppm) + 5_000n) / 10_000n;
  const sign = ppm < 0n && hundredths > 0n ? '-' : '';
  return `${sign}${WHOLE.format(hundredths / 100n)}.${(hundredths % 100n).toString().padStart(2, '0')}`;
}

/** A target's figure as its metric is meant. */
export function showFigure(
  metric: string,
  value: bigint | null,
  { unit, currency }: { readonly unit: string; readonly currency: string | null },
): string {
  const kind = READ_AS.get(metric);
  if (value !== null && kind === 'per one') return showPerOne(value);
  if (value !== null && kind === 'months') {
    const tenths = Math.round(Number(value) / 100_000);
    return `${(tenths / 10).toFixed(tenths % 10 === 0 ? 0 : 1)} ${Math.abs(tenths) === 10 ? 'month' : 'months'}`;
  }
  return showValue(value, unit, currency);
}
