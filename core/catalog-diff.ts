import type { Catalog } from './catalog.js';
import { effectOf, type ChangeEffect } from './catalog/diff-effects.js';
import { flatten } from './catalog/flatten.js';

/** One difference between two versions, and what it does to whom. */
export interface CatalogChange {
  readonly kind: 'added' | 'removed' | 'changed';
  /** The section: plans, packages, programs …; `catalog` for the fields on top. */
  readonly section: string;
  /** The thing that differs; empty for fields on top. */
  readonly id: string;
  /** Inside the thing: `price.amount`; empty when the whole thing came or went. */
  readonly field: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly effect: ChangeEffect;
  /** A sentence for people: what this does to existing customers, partners or reports. */
  readonly meaning: string;
  /** Customers that hold the product now; null where that is not known or makes no sense. */
  readonly holders: number | null;
}

const SECTIONS = [
  'segments',
  'channels',
  'features',
  'meters',
  'packages',
  'bundles',
  'plans',
  'addons',
  'programs',
  'experiments',
  'phases',
  'targets',
] as const;
type Section = (typeof SECTIONS)[number];

/** Fields on top that are compared as they are. */
const TOP_FIELDS = [
  'name',
  'zone',
  'currencies',
  'reportingCurrency',
  'launchedOn',
  'minSupport',
  'personal',
  'readinessGate',
  'leadScore',
  'revenueMix',
  'accountability',
] as const satisfies readonly (keyof Catalog)[];

/**
 * What a new version does. Subscriptions stay on the version they were sold under, so what is sold changes for
 * new ones alone; partners, scores and reports follow the version in force.
 *
 * @param holders product id → customers that hold it now, to say how many a change is about
 */
export function diffCatalogs(
  before: Catalog,
  after: Catalog,
  holders: ReadonlyMap<string, number> = new Map(),
): CatalogChange[] {
  const top = TOP_FIELDS.flatMap((field) =>
    leafChanges('catalog', '', flatten(before[field], field), flatten(after[field], field)),
  );
  const things = SECTIONS.flatMap((section) => sectionChanges(section, before[section], after[section]));
  return [...top, ...things].map((change) => {
    const count = holders.get(change.id) ?? (holders.size > 0 && isProduct(change.section) ? 0 : null);
    return { ...change, ...effectOf(change), holders: isProduct(change.section) ? count : null };
  });
}

type BareChange = Omit<CatalogChange, 'effect' | 'meaning' | 'holders'>;

function isProduct(section: string): boolean {
  return ['packages', 'bundles', 'plans', 'addons'].includes(section);
}

function sectionChanges(
  section: Section,
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): BareChange[] {
  const ids = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return ids.flatMap((id): BareChange[] => {
    const whole = { section, id, field: '', before: null, after: null };
    if (!Object.hasOwn(before, id)) return [{ ...whole, kind: 'added' }];
    if (!Object.hasOwn(after, id)) return [{ ...whole, kind: 'removed' }];
    return leafChanges(section, id, flatten(before[id]), flatten(after[id]));
  });
}

function leafChanges(
  section: string,
  id: string,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): BareChange[] {
  const fields = [...new Set([...before.keys(), ...after.keys()])];
  return fields.flatMap((field): BareChange[] => {
    const [was, is] = [before.get(field) ?? null, after.get(field) ?? null];
    if (was === is) return [];
    const kind = was === null ? 'added' : is === null ? 'removed' : 'changed';
    return [{ kind, section, id, field, before: was, after: is }];
  });
}
