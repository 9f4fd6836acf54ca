import type { RequestContext } from './context.js';

/** Who does something, for the audit log: the key's id. */
export function actorOf({ key }: RequestContext): string {
  return key?.keyId ?? 'public';
}
