import { z } from 'zod';
import { InvariantError } from '../errors.js';
import { eventTypes, type EventType } from '../events.js';
import { fieldRegistry, type FieldKind, type FieldRule } from '../fields.js';
import { elementOf, isOptional, metaOf, shapeOf, unwrapped } from './schema-walk.js';

/** A field of `data` in plain terms: reference pages, CSV mappings and the bulk path's SQL are made from it. */
export interface FieldSpec {
  readonly name: string;
  readonly kind: FieldKind;
  /** May be absent or null. */
  readonly optional: boolean;
  readonly description?: string;
  /** Kind of personal value, when it holds one. */
  readonly personal?: string;
  readonly personalKeys?: Readonly<Record<string, string>>;
  /** Words of an enum. */
  readonly values?: readonly string[];
  readonly maxLength?: number;
  /** Whether a number may be below 0. */
  readonly signed?: boolean;
  /** Least value of an integer. */
  readonly min?: number;
  /** Fields of an object, or of each object in a list. */
  readonly fields?: readonly FieldSpec[];
  /** What a list holds. */
  readonly element?: FieldSpec;
  readonly rules?: readonly FieldRule[];
}

export interface TypeSpec {
  readonly fields: readonly FieldSpec[];
  readonly rules: readonly FieldRule[];
}

export function typeSpec(type: EventType): TypeSpec {
  const { data } = eventTypes[type];
  return { fields: fieldSpecs(type), rules: fieldRegistry.get(data)?.rules ?? [] };
}

export function fieldSpecs(type: EventType): readonly FieldSpec[] {
  return specsOf(eventTypes[type].data);
}

function specsOf(schema: z.core.$ZodType): readonly FieldSpec[] {
  return shapeOf(schema).map(([name, field]) => specOf(name, field));
}

function specOf(name: string, schema: z.core.$ZodType): FieldSpec {
  const meta = metaOf(schema);
  if (meta === undefined)
    throw new InvariantError(`field "${name}" has no kind; build it with core/fields.ts`);
  const inner = unwrapped(schema);
  const element = elementOf(inner);
  const fields = specsOf(inner);
  return {
    name,
    kind: meta.kind,
    optional: isOptional(schema),
    ...(meta.description === undefined ? {} : { description: meta.description }),
    ...(meta.personal === undefined ? {} : { personal: meta.personal }),
    ...(meta.personalKeys === undefined ? {} : { personalKeys: meta.personalKeys }),
    ...(meta.rules === undefined || meta.rules.length === 0 ? {} : { rules: meta.rules }),
    ...(meta.signed === undefined ? {} : { signed: meta.signed }),
    ...(meta.min === undefined ? {} : { min: meta.min }),
    ...(meta.kind === 'enum' && inner instanceof z.ZodEnum ? { values: inner.options.map(String) } : {}),
    ...(inner instanceof z.ZodString && inner.maxLength !== null ? { maxLength: inner.maxLength } : {}),
    ...(fields.length === 0 ? {} : { fields }),
    ...(element === undefined ? {} : { element: specOf('', element) }),
  };
}
