import type { ValidEvent } from '../core/events/envelope.js';
import type { PersonalValue, Tokeniser } from '../core/events/tokenise.js';
import type { Vault, VaultEntry } from '../platform/vault.js';

const TOKEN = /tok_[0-9a-f]{32}/g;
const ONE_TOKEN = /^tok_[0-9a-f]{32}$/;
const TOKEN_PREFIX = 'tok_';

/** Ids by which a record that carries personal values can be named when a person asks to be forgotten. */
const PERSON_FIELDS = [
  ['leadId', 'lead'],
  ['respondentId', 'respondent'],
  ['companyId', 'company'],
  ['registrationId', 'registration'],
] as const;

/**
 * The tokeniser for these bytes. A text that merely looks like a token counts as one only if the vault knows it:
 * else anybody could name another person's token, or pass personal data off as a token.
 */
export async function tokeniserFor(vault: Vault, bytes: readonly Uint8Array[]): Promise<Tokeniser> {
  const candidates = new Set<string>();
  for (const piece of bytes) {
    const buffer = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    if (!buffer.includes(TOKEN_PREFIX)) continue;
    for (const [token] of buffer.toString('latin1').matchAll(TOKEN)) candidates.add(token);
  }
  const known = candidates.size === 0 ? new Set<string>() : await vault.known([...candidates]);
  return {
    // One value has one token whatever field it came in, so that erasing by value finds all of it.
    token: (_field, value) => vault.token(value),
    isOwnToken: (text) => known.has(text),
  };
}

export function looksLikeToken(value: unknown): boolean {
  return typeof value === 'string' && ONE_TOKEN.test(value);
}

/** The values of one event as the vault keeps them: with whose they are. */
export function vaultEntries(event: ValidEvent, values: readonly PersonalValue[]): VaultEntry[] {
  if (values.length === 0) return [];
  const person = personOf(event);
  return values.map(({ token, field, value }) => ({ token, field: `${event.type}.${field}`, value, person }));
}

function personOf({ data, subject }: ValidEvent): string {
  for (const [field, kind] of PERSON_FIELDS) {
    const id = data[field];
    if (typeof id === 'string') return `${kind}:${id}`;
  }
  return `subject:${subject}`;
}
