import type { Operation } from './operation.js';

/** `/v1/leads/{leadId}` as Hono writes it. */
export const honoPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

/** Methods that a path takes, so that "not this way" can be told from "not here". Asked only when no route matched. */
export function createRouteTable(operations: readonly Operation[]): (path: string) => readonly string[] {
  const byPath = new Map<string, Set<string>>();
  const docs = ['/docs', '/docs/rapidoc.js', '/openapi.json'].map((path) => ({ path, method: 'get' }));
  for (const { path, method } of [...operations, ...docs]) {
    const methods = byPath.get(path) ?? new Set<string>();
    byPath.set(path, methods.add(method.toUpperCase()));
    // Every GET answers HEAD too.
    if (method === 'get') methods.add('HEAD');
  }
  const routes = [...byPath].map(([path, methods]) => ({
    // Paths are ours and hold no other characters that mean something in a pattern than the dot.
    pattern: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
    methods,
  }));
  return (path) => [
    ...new Set(routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => [...methods])),
  ];
}
