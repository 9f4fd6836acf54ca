import { describe, expect, test } from 'vitest';
import { catalogJsonSchema, parseCatalog } from './catalog.js';
import { exampleDocument, exampleWith } from './catalog/catalog-example.js';

/** Each problem as "path: message". */
function problemsOf(document: unknown): string[] {
  const result = parseCatalog(document);
  return result.ok ? [] : result.problems.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

test('the example is a catalog', () => {
  expect(problemsOf(exampleDocument())).toEqual([]);
});

test('defaults: minSupport 20, hold 30 days, stop policy by choice', () => {
  const result = parseCatalog(exampleDocument());
  if (!result.ok) throw new Error('the example must be a catalog');
  expect(result.catalog.minSupport).toBe(20);
  expect(result.catalog.programs.affiliates?.hold).toEqual({ days: 30, assumed: false });
  expect(result.catalog.leadScore?.horizonDays).toBe(90);
});

describe('shape', () => {
  const cases: [string, readonly string[], unknown, string][] = [
    [
      'an unknown field, with a suggestion',
      ['plans', 'growth', 'prise'],
      1,
      'plans.growth.prise: unknown field "prise"; did you mean "price"?',
    ],
    [
      'an unknown field deep inside',
      ['plans', 'growth', 'price', 'amout'],
      '1',
      'plans.growth.price.amout: unknown field "amout"; did you mean "amount"?',
    ],
    ['an unknown section', ['package'], {}, 'package: unknown field "package"; did you mean "packages"?'],
    [
      'a missing field',
      ['plans', 'growth', 'tier'],
      undefined,
      'plans.growth.tier: this field is required and missing',
    ],
    [
      'a missing choice',
      ['segments', 'shops', 'motion'],
      undefined,
      'segments.shops.motion: this field is required and missing',
    ],
    [
      'a float where money belongs',
      ['plans', 'growth', 'price', 'amount'],
      49.1,
      'plans.growth.price.amount: expected a decimal in quotes, like "49.00"',
    ],
    [
      'a wrong word',
      ['segments', 'shops', 'motion'],
      'direct_sale',
      'segments.shops.motion: unknown value "direct_sale"; did you mean "direct_sales"?',
    ],
    [
      'a word far from any',
      ['plans', 'growth', 'price', 'interval'],
      'fortnight',
      'plans.growth.price.interval: "fortnight" is not one of week, month, quarter, year, once',
    ],
    ['text where a map belongs', ['plans'], 'growth', 'plans: expected a map of id: …, found "growth"'],
    [
      'text where a number belongs',
      ['plans', 'growth', 'tier'],
      '2',
      'plans.growth.tier: expected a number, found "2"',
    ],
    [
      'an id that is none',
      ['plans', 'Growth Plan'],
      exampleDocument().plans.free,
      'plans.Growth Plan: an id starts with a letter and has lower-case letters, digits, "_" or "-" (64 at most)',
    ],
    [
      'an id with a meaning of its own',
      ['plans', 'mixed'],
      exampleDocument().plans.free,
      'plans.mixed: this word has a meaning of its own in reports; choose another',
    ],
    [
      'an unknown currency',
      ['plans', 'growth', 'price', 'currency'],
      'USX',
      'plans.growth.price.currency: not a currency that Headgate knows (ISO 4217)',
    ],
    [
      'too many decimals',
      ['plans', 'growth', 'price', 'amount'],
      '0.005',
      'plans.growth.price.amount: 0.005 has more digits than USD has (2 after the point); round it',
    ],
    [
      'an allowance that is both',
      ['plans', 'free', 'allowances', 'ai_operations', 'unlimited'],
      true,
      'plans.free.allowances.ai_operations: give either a quantity or `unlimited: true`',
    ],
    [
      'an unknown price model',
      ['plans', 'growth', 'overage', 'ai_operations', 'model'],
      'per_bloc',
      'plans.growth.overage.ai_operations.model: "per_bloc" is not a known model',
    ],
    [
      'a block of nothing',
      ['plans', 'growth', 'overage', 'ai_operations', 'block'],
      '0.0',
      'plans.growth.overage.ai_operations.block: a block must be more than 0',
    ],
    [
      'a bundle of nothing',
      ['bundles', 'pair', 'packages'],
      [],
      'bundles.pair.packages: a bundle has packages',
    ],
    [
      'a window without an anchor',
      ['programs', 'affiliates', 'rules', 'first_year', 'window', 'anchor'],
      undefined,
      'programs.affiliates.rules.first_year.window.anchor: first_months says what it counts from: signup, first_payment or contract_start',
    ],
    [
      'a hold of nothing',
      ['programs', 'affiliates', 'hold'],
      {},
      'programs.affiliates.hold: give days or months',
    ],
    [
      'a meter in the wrong stream',
      ['meters', 'ai_operations', 'stream'],
      'billing',
      'meters.ai_operations.stream: events of this eventType are in another stream',
    ],
    [
      'a sum of nothing',
      ['meters', 'ai_operations', 'key'],
      undefined,
      'meters.ai_operations.aggregation: this aggregation needs a key: the quantity it reads',
    ],
    [
      'two goals in one',
      ['targets', 'customers', 'goal', 'percent'],
      '5',
      'targets.customers.goal: give exactly one of count, percent, money, seconds, minutes, hours, days, milliseconds, points',
    ],
    [
      'an unknown metric',
      ['targets', 'customers', 'metric'],
      'custmers',
      'targets.customers.metric: unknown value "custmers"; did you mean "customers"?',
    ],
    [
      'grades that rise',
      ['leadScore', 'grades', 'fit', 'D'],
      40,
      'leadScore.grades.fit: the letters must fall: A above B above C above D',
    ],
    [
      'a score field that is none',
      ['leadScore', 'fit', 'industry', 'field'],
      'company.size',
      'leadScore.fit.industry.field: expected lead.source|channel|status, attributes.<key>, or company.industry|employees|country|segment|motion|targetAccount',
    ],
    [
      'a phase that ends before it begins',
      ['phases', 'launch', 'months', 'to'],
      0,
      'phases.launch.months.to: Too small: expected number to be >0',
    ],
    [
      'a revenue mix that is not whole',
      ['revenueMix'],
      { subscription: { percent: '70' }, overage: { percent: '20' } },
      'revenueMix: the shares of revenue must sum to 100 percent',
    ],
    [
      'a zone that is none',
      ['zone'],
      'Mars/Olympus',
      'zone: not a zone of the IANA database; write it like Europe/Berlin',
    ],
  ];
  test.each(cases)('%s', (_, path, value, expected) => {
    expect(problemsOf(exampleWith(path, value))).toContain(expected);
  });

  test('a document that is no map at all', () => {
    for (const document of [null, 'text', 7, []]) expect(problemsOf(document)).toHaveLength(1);
  });

  test('every problem is reported, not only the first', () => {
    const document = { ...exampleDocument(), zone: 'Mars/Olympus', minSupport: 0, extra: true };
    expect(problemsOf(document)).toHaveLength(3);
  });
});

test('the JSON Schema describes the file as written, strictly', () => {
  const schema = catalogJsonSchema();
  expect(schema).toMatchObject({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    additionalProperties: false,
    required: ['catalog', 'name', 'zone', 'currencies', 'reportingCurrency', 'segments'],
  });
  expect(JSON.stringify(schema)).toContain('"assumed"');
});
