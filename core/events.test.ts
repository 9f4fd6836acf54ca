import { describe, expect, test } from 'vitest';
import { EVENT_TYPES, eventDefinition, isEventType, streamOfType } from './events.js';
import { eventExamples } from './events/examples.js';
import { fieldSpecs, typeSpec, type FieldSpec } from './events/field-specs.js';
import { jsonSchemaOf } from './events/json-schema.js';
import { validateEvent } from './events/validate-event.js';
import { parseInstant } from './time.js';

const now = parseInstant('2027-01-01T00:00:00Z');

/** The types of the contract, written out: one that goes missing must not go unnoticed. */
const TYPES_BY_STREAM = {
  executions: [
    'execution.started execution.completed execution.failed execution.canceled execution.paused usage.recorded',
  ],
  installs: [
    'org.upserted signup.created identity.linked activation.reached recommendation.shown recommendation.accepted',
    'listing.published listing.withdrawn measurement.recorded session.active package.viewed install.created',
    'install.configured install.uninstalled install.first_value trial.started trial.ended experiment.exposed',
  ],
  billing: [
    'subscription.started subscription.changed subscription.paused subscription.resumed subscription.canceled',
    'contract.signed invoice.finalized invoice.paid invoice.payment_failed invoice.voided invoice.uncollectible',
    'credit_note.issued invoice.refunded dispute.opened dispute.closed spend.recorded marketplace.sale',
    'credit.granted commission.posted payout.paid payout.returned fx.rate_published',
  ],
  crm: [
    'lead.upserted lead.activity campaign.upserted campaign.touched company.upserted deal.upserted',
    'deal.stage_changed activity.logged survey.responded ticket.opened ticket.resolved partner.enrolled',
    'partner.tier_changed referral.clicked referral.attributed deal.registered workspace.provisioned',
  ],
  target: ['event.voided event.amended'],
};

describe('the registry', () => {
  test('holds every type of the contract, in its stream, and no other', () => {
    const expected = Object.entries(TYPES_BY_STREAM).flatMap(([stream, rows]) =>
      rows.flatMap((row) => row.split(' ').map((type) => `${stream} ${type}`)),
    );
    const actual = EVENT_TYPES.map((type) => `${String(eventDefinition(type)?.stream)} ${type}`);
    expect(actual.sort()).toEqual(expected.sort());
  });

  test('a name of JavaScript’s own is no type', () => {
    expect(['constructor', '__proto__', 'toString'].some(isEventType)).toBe(false);
    expect(streamOfType('constructor')).toBeNull();
    expect(streamOfType('event.voided')).toBeNull();
  });
});

describe('every type', () => {
  test.each(Object.values(eventExamples))('$type: its example passes, unchanged', (example) => {
    const result = validateEvent(example, now);
    expect(result).toMatchObject({
      ok: true,
      event: { type: example.type, data: example.data, extra: null },
    });
  });

  test.each(Object.values(eventExamples))('$type: each required field is missed by name', (example) => {
    if (!isEventType(example.type)) throw new Error('an example must have a type');
    const required = fieldSpecs(example.type).filter(({ optional }) => !optional);
    for (const { name } of required) {
      const data = Object.fromEntries(Object.entries(example.data).filter(([key]) => key !== name));
      const result = validateEvent({ ...example, data }, now);
      expect(result.ok ? [] : result.problems.map(({ path, code }) => [path, code])).toContainEqual([
        `data.${name}`,
        'missing_field',
      ]);
    }
  });

  test.each(EVENT_TYPES)('%s: a value of the wrong shape is named by its path, in every field', (type) => {
    if (!isEventType(type)) throw new Error('EVENT_TYPES holds types');
    for (const { name, kind } of fieldSpecs(type)) {
      const data = { ...eventExamples[type].data, [name]: kind === 'list' ? {} : [[]] };
      const result = validateEvent({ ...eventExamples[type], data }, now);
      expect(result.ok ? [] : result.problems.map(({ path }) => path)).toContain(`data.${name}`);
    }
  });

  test.each(EVENT_TYPES)('%s: optional fields may be null, unknown fields are kept', (type) => {
    if (!isEventType(type)) throw new Error('EVENT_TYPES holds types');
    const absent = fieldSpecs(type)
      .filter(({ optional, name }) => optional && !(name in eventExamples[type].data))
      .map(({ name }): [string, null] => [name, null]);
    const data = { ...eventExamples[type].data, ...Object.fromEntries(absent), ourOwn: { deep: [1, '2'] } };
    const result = validateEvent({ ...eventExamples[type], data, traceparent: '00-ab' }, now);
    expect(result).toMatchObject({ ok: true, event: { data, extra: { traceparent: '00-ab' } } });
  });
});

describe('what is derived from a schema', () => {
  const flat = (specs: readonly FieldSpec[]): FieldSpec[] =>
    specs.flatMap((spec) => [
      spec,
      ...flat(spec.fields ?? []),
      ...flat(spec.element === undefined ? [] : [spec.element]),
    ]);
  const specs = EVENT_TYPES.filter(isEventType).flatMap((type) => flat(fieldSpecs(type)));

  test('names follow the contract: money ends with Minor, instants with At, costs with Micros', () => {
    const wrong = specs.filter(({ name, kind }) => {
      if (name === '') return false;
      if (kind === 'minor') return !name.endsWith('Minor');
      if (kind === 'micros') return !name.endsWith('Micros');
      if (kind === 'instant') return !name.endsWith('At');
      return /Minor$|Micros$|At$/.test(name);
    });
    expect(wrong).toEqual([]);
  });

  test('every type that holds an amount holds a currency beside it', () => {
    const withoutCurrency = EVENT_TYPES.filter(isEventType).filter((type) => {
      const fields = fieldSpecs(type);
      const hasMoney = fields.some(({ kind }) => kind === 'minor' || kind === 'micros');
      return hasMoney && !fields.some(({ kind }) => kind === 'currency');
    });
    expect(withoutCurrency).toEqual([]);
  });

  test('specs say what the schema says', () => {
    const { fields, rules } = typeSpec('execution.completed');
    expect(fields.find(({ name }) => name === 'durationMs')).toMatchObject({
      kind: 'integer',
      optional: false,
    });
    expect(fields.find(({ name }) => name === 'usage')).toMatchObject({ kind: 'quantities', optional: true });
    expect(rules).toEqual([{ kind: 'needs', field: 'costMicros', companion: 'currency' }]);
    const lines = fieldSpecs('invoice.finalized').find(({ name }) => name === 'lines');
    expect(lines?.element?.fields?.find(({ name }) => name === 'amountMinor')).toMatchObject({
      kind: 'minor',
      signed: true,
      optional: false,
    });
    expect(fieldSpecs('deal.upserted').find(({ name }) => name === 'kind')?.values).toEqual([
      'new',
      'expansion',
      'renewal',
    ]);
  });

  test('JSON Schema says with its own words what depends on what, and which texts are instants', () => {
    expect(jsonSchemaOf('credit.granted')).toMatchObject({
      properties: {
        time: { format: 'date-time' },
        data: {
          properties: { expiresAt: { anyOf: [{ format: 'date-time' }, { type: 'null' }] } },
          dependentRequired: { amountMinor: ['currency'], meter: ['quantity'] },
          allOf: [{ oneOf: [{ required: ['amountMinor'] }, { required: ['meter'] }] }],
        },
      },
    });
    expect(jsonSchemaOf('spend.recorded')).toMatchObject({ properties: { subject: { const: 'company' } } });
    expect(jsonSchemaOf('org.upserted')).toMatchObject({
      properties: { data: { properties: { name: { anyOf: [{ 'x-personal': 'name' }, {}] } } } },
    });
  });

  test('the JSON Schema of each type is one of a whole event that allows unknown fields', () => {
    for (const type of EVENT_TYPES.filter(isEventType)) {
      const schema = jsonSchemaOf(type);
      expect(schema).toMatchObject({
        title: type,
        type: 'object',
        properties: { type: { const: type }, data: { type: 'object' } },
      });
      expect(schema['required']).toEqual(['specversion', 'id', 'source', 'type', 'subject', 'time', 'data']);
      expect(JSON.stringify(schema)).not.toContain('"additionalProperties":false');
    }
  });
});
