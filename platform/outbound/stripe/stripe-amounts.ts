import { tenToThe } from '../../../core/decimal.js';
import { currencyExponent, type Money } from '../../../core/money.js';

/**
 * Stripe's minor unit is ISO 4217's, but for these. ISK and UGX have none, and are written with two digits that must be 00; of three
 * digits the last must be 0; the ariary's fifth is not used.
 *
 * @see https://docs.stripe.com/currencies#special-cases
 */
const SPECIAL: Readonly<Record<string, { readonly digits: number; readonly step: bigint }>> = {
  ISK: { digits: 2, step: 100n },
  UGX: { digits: 2, step: 100n },
  MGA: { digits: 0, step: 1n },
  BHD: { digits: 3, step: 10n },
  JOD: { digits: 3, step: 10n },
  KWD: { digits: 3, step: 10n },
  OMR: { digits: 3, step: 10n },
  TND: { digits: 3, step: 10n },
};

/** What Stripe charges in. */
const CURRENCIES = new Set(
  (
    'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF ' +
    'CLP CNY COP CRC CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ' +
    'ILS INR ISK JMD JOD JPY KES KGS KHR KMF KRW KWD KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MUR ' +
    'MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR ' +
    'SEK SGD SHP SLE SOS SRD STD SZL THB TJS TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VND VUV WST XAF XCD XOF XPF YER ' +
    'ZAR ZMW'
  ).split(' '),
);

/**
 * The least that Stripe charges, in Stripe's minor unit.
 *
 * @see https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
 */
const MINIMUM: Readonly<Record<string, bigint>> = {
  USD: 50n,
  AED: 200n,
  AUD: 50n,
  BRL: 50n,
  CAD: 50n,
  CHF: 50n,
  CZK: 1_500n,
  DKK: 250n,
  EUR: 50n,
  GBP: 30n,
  HKD: 400n,
  HUF: 17_500n,
  INR: 50n,
  JPY: 50n,
  MXN: 1_000n,
  MYR: 200n,
  NOK: 300n,
  NZD: 50n,
  PLN: 200n,
  RON: 200n,
  SEK: 300n,
  SGD: 50n,
  THB: 1_000n,
};

/** Eight digits of Stripe's minor unit. */
const MAXIMUM = 99_999_999n;

/** What Stripe can charge in a currency, in ISO's minor unit. */
export interface Chargeable {
  /** Amounts are multiples of this. */
  readonly unitMinor: bigint;
  readonly leastMinor: bigint;
  readonly mostMinor: bigint;
}

export function isChargeable(currency: string): boolean {
  return CURRENCIES.has(currency);
}

export function chargeable(currency: string): Chargeable {
  const { step } = stripeUnit(currency);
  const minor = (amount: bigint): bigint => moneyOfStripe(amount, currency).amountMinor;
  return {
    unitMinor: minor(step),
    leastMinor: minor(MINIMUM[currency] ?? 0n),
    mostMinor: minor(MAXIMUM),
  };
}

/** Money as Stripe writes it: an integer, always far below 2^53. Only for amounts that are a multiple of what can be charged. */
export function stripeAmount({ amountMinor, currency }: Money): number {
  const { digits } = stripeUnit(currency);
  return Number((amountMinor * tenToThe(digits)) / tenToThe(currencyExponent(currency)));
}

/** The reverse: what an amount of Stripe's is in ISO's minor unit. */
export function moneyOfStripe(amount: bigint, currency: string): Money {
  const { digits } = stripeUnit(currency);
  return { amountMinor: (amount * tenToThe(currencyExponent(currency))) / tenToThe(digits), currency };
}

function stripeUnit(currency: string): { readonly digits: number; readonly step: bigint } {
  return SPECIAL[currency] ?? { digits: currencyExponent(currency), step: 1n };
}
