import { z } from 'zod';
import { eventDefinition, type EventType } from '../events.js';
import { invariant } from '../errors.js';
import { fieldRegistry } from '../fields.js';
import { Envelope } from './envelope.js';

/** JSON Schema (2020-12) of a whole event of one type, envelope included: what `/v1/schemas/{type}` answers. */
export function jsonSchemaOf(type: EventType): Record<string, unknown> {
  const definition = eventDefinition(type);
  invariant(definition !== undefined, `jsonSchemaOf: "${type}" must be an event type`);
  const whole = Envelope.extend({ type: z.literal(type), data: definition.data });
  const schema = z.toJSONSchema(whole, { metadata: fieldRegistry, io: 'input', unrepresentable: 'any' });
  return { ...schema, title: type, description: definition.summary };
}
