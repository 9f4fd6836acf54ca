import { z } from 'zod';
import { invariant } from '../errors.js';
import { eventDefinition, type EventType } from '../events.js';
import { fieldRegistry, type FieldMeta, type FieldRule } from '../fields.js';
import { COMPANY_SUBJECT } from './event-type.js';
import { Envelope } from './envelope.js';

type JsonSchema = Record<string, unknown>;

const ANY_OF_DATES = [{ format: 'date' }, { format: 'date-time' }];

/** JSON Schema (2020-12) of a whole event of one type, envelope included: what `/v1/schemas/{type}` answers. */
export function jsonSchemaOf(type: EventType): JsonSchema {
  const definition = eventDefinition(type);
  invariant(definition !== undefined, `jsonSchemaOf: "${type}" must be an event type`);
  const isOfCompany = definition.subject?.kind === 'company';
  const whole = Envelope.extend({
    type: z.literal(type),
    data: definition.data,
    ...(isOfCompany ? { subject: z.literal(COMPANY_SUBJECT) } : {}),
  });
  const schema = z.toJSONSchema(whole, {
    // Metadata is put in below, by the keywords that JSON Schema has for it.
    metadata: z.registry<FieldMeta>(),
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      Object.assign(jsonSchema, keywordsOf(fieldRegistry.get(zodSchema)));
    },
  });
  return { ...schema, title: type, description: definition.summary };
}

function keywordsOf(meta: FieldMeta | undefined): JsonSchema {
  if (meta === undefined) return {};
  return {
    ...(meta.description === undefined ? {} : { description: meta.description }),
    ...(meta.kind === 'instant' ? { format: 'date-time' } : {}),
    ...(meta.kind === 'date' ? { anyOf: ANY_OF_DATES } : {}),
    ...(meta.personal === undefined ? {} : { 'x-personal': meta.personal }),
    ...(meta.personalKeys === undefined ? {} : { 'x-personal-keys': meta.personalKeys }),
    ...ruleKeywords(meta.rules ?? []),
  };
}

/** What JSON Schema can say about fields that depend on each other; order of dates it can't. */
function ruleKeywords(rules: readonly FieldRule[]): JsonSchema {
  const dependent: [string, string[]][] = [];
  const choices: JsonSchema[] = [];
  for (const rule of rules) {
    if (rule.kind === 'needs') dependent.push([rule.field, [rule.companion]]);
    if (rule.kind === 'any_of') choices.push({ anyOf: rule.fields.map((field) => ({ required: [field] })) });
    if (rule.kind === 'exactly_one')
      choices.push({ oneOf: rule.fields.map((field) => ({ required: [field] })) });
  }
  return {
    ...(dependent.length === 0 ? {} : { dependentRequired: Object.fromEntries(dependent) }),
    ...(choices.length === 0 ? {} : { allOf: choices }),
  };
}
