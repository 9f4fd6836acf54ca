import type { Catalog } from '../catalog.js';
import { didYouMean } from '../suggest.js';
import type { CatalogProblem } from './problems.js';
import { ReferenceCheck, type Path } from './reference-check.js';
import { checkCurrencies } from './reference-currencies.js';
import { checkCycles } from './reference-cycles.js';
import { goalFor } from './market.js';
import { METRIC_UNITS } from './metric-names.js';
import type { Feature, Sold } from './products.js';

/** Everything in a catalog that its shape alone can't guarantee. Pure; problems come in the file's sections' order. */
export function checkReferences(catalog: Catalog): readonly CatalogProblem[] {
  const check = new ReferenceCheck(catalog);
  checkProductIds(check);
  checkCurrencies(check);
  checkChannelsAndPhases(check);
  checkPackages(check);
  checkBundles(check);
  checkPlans(check);
  checkAddons(check);
  checkPrograms(check);
  checkTargets(check);
  checkCycles(check);
  return check.problems;
}

function checkSold(check: ReferenceCheck, sold: Sold, path: Path): void {
  check.referKeys('meters', sold.allowances, [...path, 'allowances']);
  check.referKeys('meters', sold.overage, [...path, 'overage']);
  check.referKeys('meters', sold.trial?.caps ?? {}, [...path, 'trial', 'caps']);
  check.referAll('meters', sold.ownKey?.uncountedMeters, [...path, 'ownKey', 'uncountedMeters']);
  for (const meter of Object.keys(sold.overage)) {
    const allowance = sold.allowances[meter];
    if (allowance?.unlimited === true) {
      check.report(
        [...path, 'overage', meter],
        'meaning',
        `"${meter}" is unlimited here, so there is no overage to price; remove one of the two`,
        'key',
      );
    }
  }
  for (const [id, value] of Object.entries(sold.features)) {
    if (!check.refer('features', id, [...path, 'features', id], 'key')) continue;
    const problem = entitlementProblem(check.catalog.features[id], value);
    if (problem !== undefined) check.report([...path, 'features', id], 'meaning', problem);
  }
}

function entitlementProblem(
  feature: Feature | undefined,
  value: boolean | number | string,
): string | undefined {
  if (feature === undefined) return undefined;
  if (feature.kind === 'switch') {
    return typeof value === 'boolean' ? undefined : 'this feature is a switch: write true or false';
  }
  if (feature.kind === 'count') {
    if (typeof value === 'number' || value === 'unlimited') return undefined;
    return 'this feature is a count: write a whole number or unlimited';
  }
  if (typeof value === 'string' && feature.levels.includes(value)) return undefined;
  const suggestion = typeof value === 'string' ? didYouMean(value, feature.levels) : '';
  return `not a level of this feature (${feature.levels.join(', ')})${suggestion}`;
}

interface Audience {
  readonly plans?: readonly string[] | undefined;
  readonly segments?: readonly string[] | undefined;
}

function checkAudience(check: ReferenceCheck, { plans, segments }: Audience, path: Path): void {
  check.referAll('plans', plans, [...path, 'plans']);
  check.referAll('segments', segments, [...path, 'segments']);
}

/** Invoice lines and commission rules name a product by its id alone, so no two products share one. */
function checkProductIds(check: ReferenceCheck): void {
  const { packages, bundles, plans, addons } = check.catalog;
  const seen = new Map<string, string>();
  for (const [section, items] of Object.entries({ packages, bundles, plans, addons })) {
    for (const id of Object.keys(items)) {
      const other = seen.get(id);
      if (other !== undefined) {
        check.report(
          [section, id],
          'duplicate',
          `"${id}" is among the ${other} already; rename one of them`,
          'key',
        );
      }
      seen.set(id, section);
    }
  }
}

function checkChannelsAndPhases(check: ReferenceCheck): void {
  for (const [id, { fromPhase }] of Object.entries(check.catalog.channels)) {
    if (fromPhase !== undefined) check.refer('phases', fromPhase, ['channels', id, 'fromPhase']);
  }
}

function checkPackages(check: ReferenceCheck): void {
  for (const [id, item] of Object.entries(check.catalog.packages)) {
    const path = ['packages', id];
    checkSold(check, item, path);
    checkAudience(check, item, path);
    check.referAll('packages', item.requires, [...path, 'requires']);
    check.referAll('packages', item.adjacentTo, [...path, 'adjacentTo']);
    const self = item.adjacentTo.indexOf(id);
    if (self >= 0) {
      check.report(
        [...path, 'adjacentTo', self],
        'cycle',
        `"${id}" can't be the package to recommend after itself`,
      );
    }
  }
}

function checkBundles(check: ReferenceCheck): void {
  for (const [id, bundle] of Object.entries(check.catalog.bundles)) {
    const path = ['bundles', id];
    checkSold(check, bundle, path);
    checkAudience(check, bundle, path);
    check.referAll('packages', bundle.packages, [...path, 'packages']);
    check.referAll('bundles', bundle.bundles, [...path, 'bundles']);
    const packages = bundle.packages.flatMap((packageId) => check.catalog.packages[packageId] ?? []);
    if (bundle.price === undefined && new Set(packages.map(({ price }) => price.interval)).size > 1) {
      const message =
        'its packages are paid in different intervals and can not be added up; give the bundle a price';
      check.report([...path, 'discount'], 'meaning', message);
    }
  }
}

function checkPlans(check: ReferenceCheck): void {
  const tiers = new Map<number, string>();
  for (const [id, plan] of Object.entries(check.catalog.plans)) {
    const path = ['plans', id];
    checkSold(check, plan, path);
    check.referAll('segments', plan.segments, [...path, 'segments']);
    check.referAll('packages', plan.only.packages, [...path, 'only', 'packages']);
    check.referAll('bundles', plan.only.bundles, [...path, 'only', 'bundles']);
    check.referAll('addons', plan.only.addons, [...path, 'only', 'addons']);
    if (plan.upgradesTo !== undefined) check.refer('plans', plan.upgradesTo, [...path, 'upgradesTo']);
    const other = tiers.get(plan.tier);
    if (other !== undefined) {
      check.report([...path, 'tier'], 'duplicate', `plan "${other}" is on tier ${plan.tier} already`);
    }
    tiers.set(plan.tier, id);
  }
}

function checkAddons(check: ReferenceCheck): void {
  for (const [id, addon] of Object.entries(check.catalog.addons)) {
    checkSold(check, addon, ['addons', id]);
    checkAudience(check, addon, ['addons', id]);
  }
}

function checkPrograms(check: ReferenceCheck): void {
  const { programs } = check.catalog;
  const ruleIds = new Map<string, string>();
  for (const [id, program] of Object.entries(programs)) {
    const tiers = Object.keys(program.tiers);
    for (const [tierId, { next }] of Object.entries(program.tiers)) {
      if (next === undefined || tiers.includes(next)) continue;
      const path = ['programs', id, 'tiers', tierId, 'next'];
      check.report(path, 'unknown_reference', `unknown tier "${next}"${didYouMean(next, tiers)}`);
    }
    for (const [ruleId, { tier, product }] of Object.entries(program.rules)) {
      const path = ['programs', id, 'rules', ruleId];
      const other = ruleIds.get(ruleId);
      if (other !== undefined) {
        // Commission lines name their rule by its id.
        check.report(
          path,
          'duplicate',
          `program "${other}" has a rule "${ruleId}" already; rename one`,
          'key',
        );
      }
      ruleIds.set(ruleId, id);
      if (tier !== undefined && !tiers.includes(tier)) {
        check.report(
          [...path, 'tier'],
          'unknown_reference',
          `unknown tier "${tier}"${didYouMean(tier, tiers)}`,
        );
      }
      if (product !== undefined) checkProduct(check, product, [...path, 'product']);
    }
  }
}

/** A product of any kind. */
function checkProduct(check: ReferenceCheck, id: string, path: Path): void {
  const { packages, bundles, plans, addons } = check.catalog;
  const products = { ...packages, ...bundles, ...plans, ...addons };
  if (Object.hasOwn(products, id)) return;
  const suggestion = didYouMean(id, Object.keys(products));
  check.report(path, 'unknown_reference', `unknown product "${id}"${suggestion}`);
}

const DIMENSION_SECTIONS = {
  segment: 'segments',
  plan: 'plans',
  channel: 'channels',
  package: 'packages',
} as const;

function checkTargets(check: ReferenceCheck): void {
  for (const [id, target] of Object.entries(check.catalog.targets)) {
    const path = ['targets', id];
    if (target.phase !== undefined) check.refer('phases', target.phase, [...path, 'phase']);
    const { dimension, member } = target;
    if (member !== undefined && isSectionDimension(dimension)) {
      check.refer(DIMENSION_SECTIONS[dimension], member, [...path, 'member']);
    }
    if (member !== undefined && dimension === 'item') checkProduct(check, member, [...path, 'member']);
    for (const field of ['goal', 'stretch'] as const) {
      const goal = target[field];
      if (goal === undefined || goalFor(target.metric, goal) !== undefined) continue;
      const unit = METRIC_UNITS[target.metric];
      check.report(
        [...path, field],
        'meaning',
        `"${target.metric}" is measured in ${unit}, not in ${goal.unit}`,
      );
    }
  }
}

function isSectionDimension(dimension: string | undefined): dimension is keyof typeof DIMENSION_SECTIONS {
  return dimension !== undefined && Object.hasOwn(DIMENSION_SECTIONS, dimension);
}
