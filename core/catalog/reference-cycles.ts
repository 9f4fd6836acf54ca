import { findCycle } from './cycles.js';
import type { ReferenceCheck } from './reference-check.js';

type Edges = ReadonlyMap<string, readonly string[]>;

/**
 * Chains that must end: what a package requires, what a bundle contains, what a plan or tier leads up to.
 * Adjacency is not among them: where each of ten packages recommends one, some cycle is certain, and harmless,
 * since nobody is recommended what they have.
 */
export function checkCycles(check: ReferenceCheck): void {
  const { packages, bundles, plans, programs } = check.catalog;
  const report = (edges: Edges, place: (from: string) => readonly string[], sentence: string) => {
    const cycle = findCycle(edges);
    const [first] = cycle ?? [];
    if (cycle === undefined || first === undefined) return;
    check.report(place(first), 'cycle', `${sentence}: ${cycle.join(' → ')}; remove one of the links`);
  };

  report(
    edgesOf(packages, ({ requires }) => requires),
    (from) => ['packages', from, 'requires'],
    'packages require each other in a circle',
  );
  report(
    edgesOf(bundles, (bundle) => bundle.bundles),
    (from) => ['bundles', from, 'bundles'],
    'a bundle contains itself',
  );
  report(
    edgesOf(plans, ({ upgradesTo }) => only(upgradesTo)),
    (from) => ['plans', from, 'upgradesTo'],
    'upgrades go round in a circle',
  );
  for (const [id, { tiers }] of Object.entries(programs)) {
    report(
      edgesOf(tiers, ({ next }) => only(next)),
      (from) => ['programs', id, 'tiers', from, 'next'],
      'tiers go round in a circle',
    );
  }
}

function edgesOf<Item>(items: Readonly<Record<string, Item>>, to: (item: Item) => readonly string[]): Edges {
  return new Map(Object.entries(items).map(([id, item]) => [id, to(item)]));
}

function only(id: string | undefined): readonly string[] {
  return id === undefined ? [] : [id];
}
