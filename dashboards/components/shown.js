// How a number of the registry is shown in a figure. The product's macro `shown` does the same for tables, in SQL.

import exponents from '$exponents';

/** @param {string | undefined} code 'reporting:USD' is all currencies brought to one */
const currencyOf = (code) => code?.replace('reporting:', '');

/** @param {number | null | undefined} value @param {string} kind @param {string} [currency] */
export function shown(value, kind, currency) {
  if (value === null || value === undefined) return '–';
  switch (kind) {
    case 'minor':
      return money(value, currencyOf(currency));
    case 'micros':
      return money(value / 1e6, currencyOf(currency), 4);
    case 'ppm':
      return new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1, signDisplay: 'negative' }).format(value / 1e6);
    case 'per one':
      return new Intl.NumberFormat('en', { maximumFractionDigits: 2, signDisplay: 'negative' }).format(value / 1e6);
    case 'seconds':
      return span(value);
    default:
      return new Intl.NumberFormat('en').format(value);
  }
}

/** @param {number} value minor units, unless digits are given @param {string | undefined} currency @param {number} [digits] */
function money(value, currency, digits) {
  if (!currency || currency === 'none') return new Intl.NumberFormat('en').format(value);
  // Not asked of the browser: it says what people print, and some currencies have a minor unit that nobody prints.
  const exponent = exponents[currency] ?? 2;
  const shownDigits = digits ?? exponent;
  const format = new Intl.NumberFormat('en', {
    style: 'currency',
    currency,
    minimumFractionDigits: shownDigits,
    maximumFractionDigits: shownDigits,
  });
  return format.format(digits === undefined ? value / 10 ** exponent : value);
}

/** @param {number} seconds */
function span(seconds) {
  if (seconds < 0) return `-${span(-seconds)}`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 172800) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86400)} days`;
}

/**
 * Against the period before: shares by percentage points, all else in percent of what it was.
 *
 * @returns {{ isUp: boolean, text: string } | undefined} nothing where there is nothing to compare with, or nothing changed
 */
export function change(now, before, kind) {
  if (now == null || before == null || now === before) return undefined;
  const isUp = now > before;
  if (kind === 'ppm') return { isUp, text: `${(Math.abs(now - before) / 1e4).toFixed(1)} points` };
  if (before === 0) return undefined;
  return { isUp, text: `${((Math.abs(now - before) / Math.abs(before)) * 100).toFixed(1)}%` };
}
