import { PERSONAL_ATTRIBUTES } from '../fields.js';
import type { ValidEvent } from './envelope.js';
import { NO_EXTRA_KEYS, personalMap, plainKey, type PersonalKeys, type PersonalMap } from './personal.js';

export interface Tokeniser {
  /** `pii_` and a keyed hash: equal values have equal tokens, so joins still work. */
  token(field: string, value: string): string;
  /**
   * Whether this very text is a token that the holder of the key made (it can tell by a keyed check or by the
   * vault). Looking like one is not enough: whoever may send events could otherwise name another person's token,
   * or have personal data in the shape of a token pass untouched.
   */
  isOwnToken(text: string): boolean;
}

/** What goes into the vault. */
export interface PersonalValue {
  readonly token: string;
  readonly field: string;
  readonly value: string;
}

export interface Tokenised {
  readonly event: ValidEvent;
  readonly values: readonly PersonalValue[];
}

/**
 * Puts a token in the place of every personal value: those that the type's schema marks, well-known keys of
 * `attributes` and of unknown envelope attributes, and what the catalog lists. In an amendment, the target's.
 *
 * Tokenising again changes nothing, but only because the tokens are verified to be our own; any other text in
 * a personal field is tokenised, `pii_…` or not. Numbers and booleans there become tokens of their JSON text.
 */
export function tokeniseEvent(
  event: ValidEvent,
  tokeniser: Tokeniser,
  extra: PersonalKeys = NO_EXTRA_KEYS,
): Tokenised {
  const map = mapOf(event, extra);
  const isUntouched = map.paths.length === 0 && map.objects.length === 0 && event.extra === null;
  if (isUntouched) return { event, values: [] };

  const values: PersonalValue[] = [];
  const seal = (field: string, value: unknown): unknown => sealed(field, value, tokeniser, values);
  const keys = fieldsByKey(extra);
  let data: unknown = event.data;
  for (const { path, field } of map.paths) data = replaceAt(data, path, (value) => seal(field, value));
  for (const { path } of map.objects) data = replaceAt(data, path, (value) => sealKeys(value, keys, seal));
  const attributes = event.extra === null ? null : sealKeys(event.extra, keys, seal);
  return values.length === 0
    ? { event, values }
    : {
        event: { ...event, data: asRecord(data), extra: attributes === null ? null : asRecord(attributes) },
        values,
      };
}

function mapOf({ type, data }: ValidEvent, extra: PersonalKeys): PersonalMap {
  if (type !== 'event.amended') return withExtra(type, extra);
  const target = withExtra(String(data['targetType']), extra);
  return {
    paths: target.paths.map(({ path, field }) => ({ path: ['data', ...path], field })),
    objects: target.objects.map(({ path }) => ({ path: ['data', ...path] })),
  };
}

function withExtra(type: string, { fields }: PersonalKeys): PersonalMap {
  const map = personalMap(type);
  const own = fields.filter(({ eventType }) => eventType === type).map(({ path }) => pathOf(path));
  return own.length === 0 ? map : { ...map, paths: [...map.paths, ...own] };
}

function pathOf(dotted: string): { path: readonly string[]; field: string } {
  // People write the path as they see the event, with or without the leading `data.`.
  const path = dotted
    .replace(/^data\./, '')
    .replace(/\[\]/g, '')
    .split('.');
  const key = path.at(-1) ?? dotted;
  return { path, field: WELL_KNOWN.get(plainKey(key)) ?? key };
}

const WELL_KNOWN: ReadonlyMap<string, string> = new Map(
  Object.entries(PERSONAL_ATTRIBUTES).map(([key, field]) => [plainKey(key), field]),
);

function fieldsByKey({ attributes }: PersonalKeys): ReadonlyMap<string, string> {
  if (attributes.length === 0) return WELL_KNOWN;
  const own = attributes.map((key): [string, string] => [plainKey(key), key]);
  return new Map([...own, ...WELL_KNOWN]);
}

/** Tokens for every value inside, whatever its shape; `null` and the empty text hold nothing to protect. */
function sealed(field: string, value: unknown, tokeniser: Tokeniser, values: PersonalValue[]): unknown {
  if (value === null || value === undefined || value === '') return value;
  if (Array.isArray(value)) return value.map((element) => sealed(field, element, tokeniser, values));
  if (typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [key, sealed(field, member, tokeniser, values)]),
    );
  }
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (tokeniser.isOwnToken(text)) return text;
  const token = tokeniser.token(field, text);
  values.push({ token, field, value: text });
  return token;
}

/** Seals the values of personal keys at any depth of an open object. */
function sealKeys(
  value: unknown,
  fields: ReadonlyMap<string, string>,
  seal: (field: string, value: unknown) => unknown,
): unknown {
  if (Array.isArray(value)) return value.map((element) => sealKeys(element, fields, seal));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]): [string, unknown] => {
      const field = fields.get(plainKey(key));
      return [key, field === undefined ? sealKeys(member, fields, seal) : seal(field, member)];
    }),
  );
}

/** A copy with the value at the path replaced; lists on the way are walked through; a missing path is left. */
function replaceAt(value: unknown, path: readonly string[], replace: (value: unknown) => unknown): unknown {
  if (Array.isArray(value) && path.length > 0)
    return value.map((element) => replaceAt(element, path, replace));
  const [key, ...rest] = path;
  if (key === undefined) return replace(value);
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      name === key ? replaceAt(member, rest, replace) : member,
    ]),
  );
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}
