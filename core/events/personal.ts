import { EVENT_TYPES, eventDefinition, isEventType } from '../events.js';
import { PERSONAL_ATTRIBUTES } from '../fields.js';
import { elementOf, metaOf, shapeOf, unwrapped } from './schema-walk.js';
import type { z } from 'zod';

/** Where a personal value stands in `data`, and what kind it is. Lists on the way are walked through. */
export interface PersonalPath {
  readonly path: readonly string[];
  /** email, name, phone, comment …: one person's e-mail has one token in whatever type it comes. */
  readonly field: string;
}

/** Open objects (`attributes`) in which single keys are personal. */
export interface PersonalObject {
  readonly path: readonly string[];
}

export interface PersonalMap {
  readonly paths: readonly PersonalPath[];
  readonly objects: readonly PersonalObject[];
}

/** What a catalog adds: keys of `attributes`, and fields of its own in any type. */
export interface PersonalKeys {
  readonly attributes: readonly string[];
  readonly fields: readonly { readonly eventType: string; readonly path: string }[];
}

export const NO_EXTRA_KEYS: PersonalKeys = { attributes: [], fields: [] };

const NOTHING: PersonalMap = { paths: [], objects: [] };

const mapsByType: ReadonlyMap<string, PersonalMap> = new Map(
  EVENT_TYPES.map((type) => {
    const definition = eventDefinition(type);
    return [type, definition === undefined ? NOTHING : personalIn(definition.data, [])];
  }),
);

/** Personal fields that the schema of a type marks. */
export function personalMap(type: string): PersonalMap {
  return mapsByType.get(type) ?? NOTHING;
}

/** The same as dotted paths, for pages and tests: `email`, `attributes.phone`. */
export function personalPaths(type: string): readonly string[] {
  if (!isEventType(type)) return [];
  const { paths, objects } = personalMap(type);
  return [
    ...paths.map(({ path }) => path.join('.')),
    ...objects.flatMap(({ path }) => Object.keys(PERSONAL_ATTRIBUTES).map((key) => [...path, key].join('.'))),
  ];
}

/** Keys are compared without case, `_` and `-`: `First_Name` is `firstName`. */
export function plainKey(key: string): string {
  return key.toLowerCase().replace(/[_-]/g, '');
}

function personalIn(schema: z.core.$ZodType, path: readonly string[]): PersonalMap {
  const meta = metaOf(schema);
  if (meta?.personal !== undefined) return { paths: [{ path, field: meta.personal }], objects: [] };
  if (meta?.personalKeys !== undefined) return { paths: [], objects: [{ path }] };
  const inner = unwrapped(schema);
  const element = elementOf(inner);
  const children =
    element === undefined
      ? shapeOf(inner).map(([name, field]) => personalIn(field, [...path, name]))
      : [personalIn(element, path)];
  return {
    paths: children.flatMap((child) => child.paths),
    objects: children.flatMap((child) => child.objects),
  };
}
