/**
 * ISO 4217 codes and the digits of their minor unit. Written out, not asked of Intl: that answers what people
 * print (0 digits for some currencies whose minor unit still exists), and differs between Node versions.
 * Funds and metals (XAU, XXX …) are no currencies to invoice in and are left out.
 * @see https://www.six-group.com/en/products-services/financial-information/data-standards.html (list one)
 */
const CODES_BY_EXPONENT = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
  2:
    'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF ' +
    'CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD ' +
    'HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT ' +
    'MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR ' +
    'SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU ' +
    'UZS VED VES WST XCD XCG YER ZAR ZMW ZWG',
  3: 'BHD IQD JOD KWD LYD OMR TND',
  4: 'CLF UYW',
} as const;

/** Withdrawn codes that a company's past may still hold. */
const WITHDRAWN_CODES_BY_EXPONENT = { 0: 'BYR', 2: 'CUC HRK LTL LVL MRO SLL STD VEF ZWL' } as const;

/** Currency code → digits after the point: 2 for USD, 0 for JPY, 3 for KWD. */
export const CURRENCY_EXPONENTS: ReadonlyMap<string, number> = new Map(
  [CODES_BY_EXPONENT, WITHDRAWN_CODES_BY_EXPONENT].flatMap((table) =>
    Object.entries(table).flatMap(([exponent, codes]) =>
      codes.split(' ').map((code): [string, number] => [code, Number(exponent)]),
    ),
  ),
);

export const CURRENCY_CODES: readonly string[] = [...CURRENCY_EXPONENTS.keys()].sort();
