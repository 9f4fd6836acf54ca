/** JSON as the API speaks it: 64-bit integers and money as digit strings, never through a float. */
export function apiJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? part.toString() : part));
}
