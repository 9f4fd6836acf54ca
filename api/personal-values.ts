import { allows } from '../platform/key-scopes.js';
import type { RequestContext } from './context.js';

const TOKEN = /^tok_[0-9a-f]{32}$/;

/** Puts a personal value in the place of its token. */
export type Reveal = (text: string | null) => string | null;

/** A value behind a token that is still there after revealing was erased, or is not for this reader. */
export function withoutToken(text: string | null): string | null {
  return text !== null && TOKEN.test(text) ? null : text;
}

/**
 * Marts hold tokens where events held personal data. Whoever may read leads sees the values behind them; others see the tokens,
 * and where a person was erased nobody sees more than that.
 */
export async function revealFor(context: RequestContext, texts: readonly (string | null)[]): Promise<Reveal> {
  const { key, services } = context;
  const tokens = texts.filter((text): text is string => text !== null && TOKEN.test(text));
  if (key === null || !allows(key.scopes, 'leads:read') || tokens.length === 0) return (text) => text;
  const values = await services.vault.read([...new Set(tokens)]);
  return (text) => (text === null ? null : (values.get(text) ?? text));
}
