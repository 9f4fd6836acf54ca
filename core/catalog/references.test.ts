import { describe, expect, test } from 'vitest';
import { parseCatalog } from '../catalog.js';
import { exampleDocument, exampleWith } from './catalog-example.js';

/** Each problem as "path: message". */
function problemsOf(document: unknown): string[] {
  const result = parseCatalog(document);
  return result.ok ? [] : result.problems.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('references', () => {
  const cases: [string, readonly string[], unknown, string][] = [
    [
      'a meter of an allowance',
      ['plans', 'growth', 'allowances'],
      { ops: { quantity: '1' } },
      'plans.growth.allowances.ops: unknown meter "ops"',
    ],
    [
      'a meter, with a suggestion',
      ['plans', 'growth', 'overage'],
      { ai_operation: { model: 'per_unit', amount: '1', currency: 'USD' } },
      'plans.growth.overage.ai_operation: unknown meter "ai_operation"; did you mean "ai_operations"?',
    ],
    [
      'a meter of a trial cap',
      ['plans', 'growth', 'trial'],
      { days: 14, caps: { tokens: '1' } },
      'plans.growth.trial.caps.tokens: unknown meter "tokens"',
    ],
    [
      'a spend cap in a currency that is not the first',
      ['plans', 'growth', 'stopPolicy'],
      { default: 'soft', spendCap: { amount: '10.00', currency: 'JPY' } },
      'plans.growth.stopPolicy.spendCap.currency: prices are written in USD, the first of currencies; others go under otherCurrencies',
    ],
    [
      'a minimum commitment in a currency that the catalog does not bill in',
      ['plans', 'growth', 'minimumCommitment'],
      { amount: '10.00', currency: 'USD', otherCurrencies: [{ amount: '9', currency: 'JPY' }] },
      "plans.growth.minimumCommitment.otherCurrencies.0.currency: JPY is not one of the catalog's other currencies",
    ],
    [
      'an adjacent package',
      ['packages', 'digest', 'adjacentTo'],
      ['reprot'],
      'packages.digest.adjacentTo.0: unknown package "reprot"; did you mean "report"?',
    ],
    [
      'a package adjacent to itself',
      ['packages', 'digest', 'adjacentTo'],
      ['digest'],
      'packages.digest.adjacentTo.0: "digest" can\'t be the package to recommend after itself',
    ],
    [
      'a package listed twice',
      ['bundles', 'pair', 'packages'],
      ['digest', 'digest'],
      'bundles.pair.packages.1: "digest" is listed twice; remove one',
    ],
    [
      'a bundle in a bundle',
      ['bundles', 'trio', 'bundles'],
      ['par'],
      'bundles.trio.bundles.0: unknown bundle "par"; did you mean "pair"?',
    ],
    [
      'a plan of an add-on',
      ['addons', 'setup', 'plans'],
      ['grwth'],
      'addons.setup.plans.0: unknown plan "grwth"; did you mean "growth"?',
    ],
    [
      'a segment of a package',
      ['packages', 'report', 'segments'],
      ['agency'],
      'packages.report.segments.0: unknown segment "agency"',
    ],
    [
      'a feature',
      ['plans', 'growth', 'features'],
      { export: true },
      'plans.growth.features.export: unknown feature "export"; did you mean "exports"?',
    ],
    [
      'a switch that is given a number',
      ['plans', 'growth', 'features'],
      { exports: 3 },
      'plans.growth.features.exports: this feature is a switch: write true or false',
    ],
    [
      'a count that is given a switch',
      ['plans', 'growth', 'features'],
      { seats: true },
      'plans.growth.features.seats: this feature is a count: write a whole number or unlimited',
    ],
    [
      'a level that is none',
      ['plans', 'growth', 'features'],
      { support: 'phon' },
      'plans.growth.features.support: not a level of this feature (email, phone); did you mean "phone"?',
    ],
    [
      'overage on something unlimited',
      ['plans', 'growth', 'allowances'],
      { ai_operations: { unlimited: true } },
      'plans.growth.overage.ai_operations: "ai_operations" is unlimited here, so there is no overage to price; remove one of the two',
    ],
    [
      'a price in a second currency alone',
      ['plans', 'growth', 'price', 'currency'],
      'EUR',
      'plans.growth.price.currency: prices are written in USD, the first of currencies; others go under otherCurrencies',
    ],
    [
      'a price in a currency nobody is billed in',
      ['plans', 'growth', 'price', 'otherCurrencies'],
      [{ amount: '1', currency: 'GBP' }],
      "plans.growth.price.otherCurrencies.0.currency: GBP is not one of the catalog's other currencies",
    ],
    [
      'a tier of a rule',
      ['programs', 'affiliates', 'rules', 'first_year', 'tier'],
      'corporat',
      'programs.affiliates.rules.first_year.tier: unknown tier "corporat"; did you mean "corporate"?',
    ],
    [
      'a product of a rule',
      ['programs', 'affiliates', 'rules', 'first_year', 'product'],
      'grow',
      'programs.affiliates.rules.first_year.product: unknown product "grow"',
    ],
    [
      'a phase of a target',
      ['targets', 'customers', 'phase'],
      'lunch',
      'targets.customers.phase: unknown phase "lunch"; did you mean "launch"?',
    ],
    [
      'a goal of another kind',
      ['targets', 'customers', 'goal'],
      { percent: '5' },
      'targets.customers.goal: "customers" is measured in count, not in ppm',
    ],
    [
      'two plans on one tier',
      ['plans', 'growth', 'tier'],
      1,
      'plans.growth.tier: plan "free" is on tier 1 already',
    ],
    [
      'one id for two products',
      ['addons', 'growth'],
      exampleDocument().addons.setup,
      'addons.growth: "growth" is among the plans already; rename one of them',
    ],
  ];
  test.each(cases)('%s', (_, path, value, expected) => {
    expect(problemsOf(exampleWith(path, value))).toContain(expected);
  });

  test('an overage price in a second currency alone, and one currency twice', () => {
    const overage = { model: 'per_unit', amount: '1', currency: 'EUR' };
    expect(problemsOf(exampleWith(['plans', 'growth', 'overage', 'ai_operations'], overage))).toEqual([
      'plans.growth.overage.ai_operations.currency: prices are written in USD, the first of currencies; others go under otherCurrencies',
    ]);
    const euro = { amount: '1', currency: 'EUR' };
    expect(problemsOf(exampleWith(['plans', 'growth', 'price', 'otherCurrencies'], [euro, euro]))).toEqual([
      'plans.growth.price.otherCurrencies.1.currency: the price in EUR stands here twice; remove one',
    ]);
  });

  test('a goal in another currency than reports', () => {
    const target = {
      ...exampleDocument().targets.customers,
      metric: 'arr',
      goal: { money: '1', currency: 'EUR' },
    };
    expect(problemsOf(exampleWith(['targets', 'customers'], target))).toEqual([
      'targets.customers.goal.currency: goals are held against reports, which are in USD; write this one in it',
    ]);
  });

  test('a discount on packages that are paid in different intervals', () => {
    expect(problemsOf(exampleWith(['packages', 'digest', 'price', 'interval'], 'year'))).toEqual([
      'bundles.pair.discount: its packages are paid in different intervals and can not be added up; give the bundle a price',
    ]);
  });

  test('one rule id in two programs', () => {
    const { affiliates } = exampleDocument().programs;
    expect(problemsOf(exampleWith(['programs', 'resellers'], affiliates))).toEqual([
      'programs.resellers.rules.first_year: program "affiliates" has a rule "first_year" already; rename one',
    ]);
  });
});

describe('cycles', () => {
  const cases: [string, readonly string[], unknown, string][] = [
    [
      'packages that require each other',
      ['packages', 'report', 'requires'],
      ['desk'],
      'packages.report.requires: packages require each other in a circle: report → desk → report; remove one of the links',
    ],
    [
      'a bundle that contains itself',
      ['bundles', 'pair', 'bundles'],
      ['trio'],
      'bundles.pair.bundles: a bundle contains itself: pair → trio → pair; remove one of the links',
    ],
    [
      'upgrades in a circle',
      ['plans', 'growth', 'upgradesTo'],
      'free',
      'plans.free.upgradesTo: upgrades go round in a circle: free → growth → free; remove one of the links',
    ],
    [
      'tiers in a circle',
      ['programs', 'affiliates', 'tiers', 'corporate', 'next'],
      'individual',
      'programs.affiliates.tiers.individual.next: tiers go round in a circle: individual → corporate → individual; remove one of the links',
    ],
  ];
  test.each(cases)('%s', (_, path, value, expected) => {
    expect(problemsOf(exampleWith(path, value))).toEqual([expected]);
  });

  test('packages may recommend each other', () => {
    // digest → report → digest stands in the example.
    expect(problemsOf(exampleDocument())).toEqual([]);
  });
});
