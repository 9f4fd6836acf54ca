import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findCycle } from './cycles.js';

const graph = (edges: Record<string, string[]>) => new Map(Object.entries(edges));

test('a cycle is named by its nodes, the first one repeated', () => {
  expect(findCycle(graph({ a: ['b'], b: ['c'], c: ['a'] }))).toEqual(['a', 'b', 'c', 'a']);
  expect(findCycle(graph({ a: ['a'] }))).toEqual(['a', 'a']);
  // The way into the cycle is not part of it.
  expect(findCycle(graph({ start: ['a'], a: ['b'], b: ['a'] }))).toEqual(['a', 'b', 'a']);
});

test('two ways to the same place are no cycle', () => {
  expect(findCycle(graph({ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }))).toBeUndefined();
  expect(findCycle(graph({ a: ['gone'] }))).toBeUndefined();
});

test('a chain of 50,000 does not overflow', () => {
  const chain = new Map(
    Array.from({ length: 50_000 }, (_, index) => [`n${index}`, [`n${index + 1}`]] as const),
  );
  expect(findCycle(chain)).toBeUndefined();
});

test('it finds one exactly where removing sources one by one leaves something over', () => {
  const node = fc.integer({ min: 0, max: 6 }).map(String);
  const anyGraph = fc.array(fc.tuple(node, node), { maxLength: 12 });
  fc.assert(
    fc.property(anyGraph, (pairs) => {
      const edges = new Map<string, string[]>();
      for (const [from, to] of pairs) edges.set(from, [...(edges.get(from) ?? []), to]);
      const cycle = findCycle(edges);
      if (cycle !== undefined) {
        const linked = cycle.slice(1).every((to, index) => edges.get(cycle[index] ?? '')?.includes(to));
        expect(linked).toBe(true);
        expect(cycle[0]).toBe(cycle.at(-1));
      }
      return (cycle !== undefined) === hasCycleByKahn(pairs);
    }),
  );
});

/** Kahn's algorithm, as a second opinion: take away nodes that nothing points at until none is left to take. */
function hasCycleByKahn(pairs: readonly (readonly [string, string])[]): boolean {
  let left = [...pairs];
  for (;;) {
    const targets = new Set(left.map(([, to]) => to));
    const kept = left.filter(([from]) => targets.has(from));
    if (kept.length === left.length) return left.length > 0;
    left = kept;
  }
}
