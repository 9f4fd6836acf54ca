import { COMPARATOR_SIGNS, READ_AS } from '../../core/catalog/metric-names.js';
import { CURRENCY_EXPONENTS } from '../../core/currencies.js';

const USUAL_EXPONENT = 2;
const UNUSUAL = [...CURRENCY_EXPONENTS].filter(([, exponent]) => exponent !== USUAL_EXPONENT);

/**
 * What pages may call in SQL beside DuckDB's own, here and in the browser: how a stored number is shown. No metric is defined here.
 *
 * `major(minor, currency)`: an amount in its currency's own unit, for charts. `shown(value, unit, currency)`: any number of the
 * registry as text, money with all digits of its currency; `kind_of(metric, unit)` is the unit, or what people read it as; `sign_of(comparator)` stands before a goal. `quantity(digits)`: an exact decimal, its thousands apart, without the zeros at its end.
 * `rows_at(metric, places)`: the address of the rows behind a number, which stands at `place(name, value)`, one after the other.
 */
export const PAGE_MACROS: readonly string[] = [
  `create macro exponent_of(code) as case replace(code, 'reporting:', '') ${exponentCases()} else ${USUAL_EXPONENT} end`,
  `create macro major(minor, code) as minor / power(10, exponent_of(code))`,
  `create macro amount(minor, code) as case exponent_of(code)
     ${amountCases()} else format('{:,.${USUAL_EXPONENT}f}', major(minor, code)) end`,
  `create macro grouped(whole) as case when starts_with(whole, '-0') then whole else format('{:,}', cast(whole as hugeint)) end`,
  `create macro quantity(digits) as case
     when contains(digits, '.') then grouped(split_part(digits, '.', 1)) || rtrim('.' || rtrim(split_part(digits, '.', 2), '0'), '.')
     else grouped(digits) end`,
  `create macro span_of(seconds) as case
     when seconds < 60 then seconds || ' s'
     when seconds < 3600 then seconds // 60 || ' min ' || seconds % 60 || ' s'
     when seconds < 172800 then seconds // 3600 || ' h ' || (seconds % 3600) // 60 || ' min'
     else seconds // 86400 || ' days' end`,
  `create macro span(seconds) as case when seconds < 0 then '-' else '' end || span_of(cast(round(abs(seconds)) as bigint))`,
  `create macro currency_behind(code) as coalesce(' ' || nullif(replace(code, 'reporting:', ''), 'none'), '')`,
  `create macro shown(value, unit, code) as case
     when value is null then '–'
     when unit = 'per one' then format('{:,.2f}', round(value / 10000) / 100 + 0.0)
     when unit = 'months' then rtrim(rtrim(format('{:,.1f}', round(value / 100000) / 10 + 0.0), '0'), '.') || case abs(round(value / 100000)) when 10 then ' month' else ' months' end
     when unit = 'ppm' then format('{:,.1f}%', round(value / 1000) / 10 + 0.0)
     when unit = 'seconds' then span(value)
     when unit = 'minor' then amount(value, code) || currency_behind(code)
     when unit = 'micros' then format('{:,.4f}', round(value / 100) / 10000 + 0.0) || currency_behind(code)
     else format('{:,}', cast(value as bigint)) || case unit when 'days' then case abs(value) when 1 then ' day' else ' days' end when 'milliseconds' then ' ms' else '' end end`,
  `create macro kind_of(metric, unit) as case metric ${wordCases(READ_AS)} else unit end`,
  `create macro sign_of(comparator) as case comparator ${wordCases(COMPARATOR_SIGNS)} else comparator end`,
  `create macro place(name, value) as '&' || name || '=' || url_encode(cast(value as varchar))`,
  `create macro rows_at(metric, places) as '/dashboards/rows/' || metric || '?' || substr(places, 2)`,
];

function wordCases(words: ReadonlyMap<string, string>): string {
  return [...words].map(([name, word]) => `when '${name}' then '${word}'`).join(' ');
}

function exponentCases(): string {
  return UNUSUAL.map(([code, exponent]) => `when '${code}' then ${exponent}`).join(' ');
}

/** The engine takes a format as a constant: one for each number of digits that there is. */
function amountCases(): string {
  return [...new Set(UNUSUAL.map(([, exponent]) => exponent))]
    .map((exponent) => `when ${exponent} then format('{:,.${exponent}f}', major(minor, code))`)
    .join(' ');
}
