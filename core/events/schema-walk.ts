import { z } from 'zod';
import { fieldRegistry, type FieldMeta } from '../fields.js';

/** The schema inside optional and nullable wrappers. */
export function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  let inner = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodNullable) inner = inner.unwrap();
  return inner;
}

export function isOptional(schema: z.core.$ZodType): boolean {
  return schema instanceof z.ZodOptional;
}

export function metaOf(schema: z.core.$ZodType): FieldMeta | undefined {
  return fieldRegistry.get(unwrapped(schema));
}

/** Named fields of an object schema; none for anything else. */
export function shapeOf(schema: z.core.$ZodType): readonly (readonly [string, z.core.$ZodType])[] {
  const inner = unwrapped(schema);
  return inner instanceof z.ZodObject ? Object.entries(inner.shape) : [];
}

export function elementOf(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  const inner = unwrapped(schema);
  return inner instanceof z.ZodArray ? inner.element : undefined;
}

/** The schema that rules at a path of a value, or undefined where the path leaves what the schema knows. */
export function schemaAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): z.core.$ZodType | undefined {
  let current: z.core.$ZodType | undefined = unwrapped(schema);
  for (const step of path) {
    if (current === undefined) return undefined;
    const inner: z.core.$ZodType = unwrapped(current);
    if (inner instanceof z.ZodObject) current = new Map(shapeOf(inner)).get(String(step));
    else if (inner instanceof z.ZodArray) current = inner.element;
    else if (inner instanceof z.ZodRecord) current = inner.valueType;
    else current = undefined;
  }
  return current === undefined ? undefined : unwrapped(current);
}

/** The value at a path, or undefined. */
export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let current = value;
  for (const step of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, step)) return undefined;
    current = Object.getOwnPropertyDescriptor(current, step)?.value;
  }
  return current;
}

/** `['lines', 2, 'amountMinor']` → `lines[2].amountMinor` */
export function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? String(step) : `${text}.${String(step)}`;
  }, '');
}
