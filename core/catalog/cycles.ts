/**
 * Finds a cycle in a directed graph.
 *
 * @param edges node → where it points; nodes that are not keys point nowhere
 * @returns the nodes of the first cycle found, its first node repeated at the end; undefined when there is none
 */
export function findCycle(edges: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const finished = new Set<string>();
  for (const start of edges.keys()) {
    const cycle = cycleFrom(start, edges, finished);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

/** Depth first with its own stack: a chain of ten thousand plans must not overflow the call stack. */
function cycleFrom(
  start: string,
  edges: ReadonlyMap<string, readonly string[]>,
  finished: Set<string>,
): readonly string[] | undefined {
  const trail: { node: string; next: number }[] = [{ node: start, next: 0 }];
  const onTrail = new Set([start]);
  for (let top = trail.at(-1); top !== undefined; top = trail.at(-1)) {
    const target = (edges.get(top.node) ?? [])[top.next];
    top.next += 1;
    if (target === undefined) {
      trail.pop();
      onTrail.delete(top.node);
      finished.add(top.node);
    } else if (onTrail.has(target)) {
      const nodes = trail.map(({ node }) => node);
      return [...nodes.slice(nodes.indexOf(target)), target];
    } else if (!finished.has(target)) {
      trail.push({ node: target, next: 0 });
      onTrail.add(target);
    }
  }
  return undefined;
}
