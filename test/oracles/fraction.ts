/** An exact share: oracles never round on the way. */
export interface Fraction {
  readonly num: bigint;
  /** Above 0. */
  readonly den: bigint;
}

export const fraction = (num: bigint, den = 1n): Fraction =>
  den < 0n ? { num: -num, den: -den } : { num, den };

export const plus = (a: Fraction, b: Fraction): Fraction =>
  fraction(a.num * b.den + b.num * a.den, a.den * b.den);

export const times = (a: Fraction, b: Fraction): Fraction => fraction(a.num * b.num, a.den * b.den);

/** To an integer, half away from zero. */
export function rounded({ num, den }: Fraction): bigint {
  const magnitude = ((num < 0n ? -num : num) * 2n + den) / (den * 2n);
  return num < 0n ? -magnitude : magnitude;
}

export const NONE = fraction(0n);

export const less = (a: Fraction, b: Fraction): boolean => a.num * b.den < b.num * a.den;

export const minus = (a: Fraction, b: Fraction): Fraction => plus(a, fraction(-b.num, b.den));

/** What of `used` is over `included`. */
export const over = (used: Fraction, included: Fraction): Fraction =>
  less(included, used) ? minus(used, included) : NONE;
