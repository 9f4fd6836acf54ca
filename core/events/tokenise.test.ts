import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseInstant } from '../time.js';
import type { ValidEvent } from './envelope.js';
import { EVENT_TYPES, isEventType } from '../events.js';
import { eventExamples } from './examples.js';
import { personalPaths } from './personal.js';
import { tokeniseEvent, type Tokeniser } from './tokenise.js';
import { validateEvent } from './validate-event.js';

/** As the vault does it: a keyed hash, and own tokens are those it remembers having made. */
function vault(key: string): Tokeniser {
  const made = new Set<string>();
  return {
    token(field, value) {
      const token = `pii_${createHmac('sha256', key).update(`${field}\n${value}`).digest('hex')}`;
      made.add(token);
      return token;
    },
    isOwnToken: (text) => made.has(text),
  };
}

function valid(value: unknown): ValidEvent {
  const result = validateEvent(value, parseInstant('2027-01-01T00:00:00Z'));
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.event;
}

const lead = eventExamples['lead.upserted'];
const leadWith = (data: object, envelope: object = {}): ValidEvent =>
  valid({ ...lead, ...envelope, data: { ...lead.data, ...data } });

describe('what is personal', () => {
  test.each([
    ['org.upserted', ['name']],
    ['company.upserted', ['name']],
    ['deal.registered', ['companyName']],
    ['survey.responded', ['comment']],
    ['execution.completed', []],
    ['campaign.upserted', []],
  ])('%s: %j', (type, expected) => {
    expect(personalPaths(type)).toEqual(expected);
  });

  test('an e-mail and well-known keys of attributes, at any depth and in any spelling', () => {
    const { event, values } = tokeniseEvent(
      leadWith({
        attributes: { First_Name: 'Ada', role: 'cto', contacts: [{ PHONE: 4930, city: 'Berlin' }] },
      }),
      vault('k'),
    );
    expect(values.map(({ field, value }) => [field, value])).toEqual([
      ['email', 'ada@example.com'],
      ['name', 'Ada'],
      ['phone', '4930'],
    ]);
    expect(event.data).toMatchObject({
      email: expect.stringMatching(/^pii_[0-9a-f]{64}$/) as string,
      attributes: { role: 'cto', contacts: [{ city: 'Berlin' }] },
    });
    expect(JSON.stringify(event.data)).not.toMatch(/ada@example|Ada|4930/);
  });

  test('what the catalog lists: keys of attributes, and fields of its own in any type', () => {
    const keys = {
      attributes: ['taxNumber'],
      fields: [
        { eventType: 'lead.upserted', path: 'billing.contact' },
        { eventType: 'lead.upserted', path: 'data.guests.email' },
        { eventType: 'org.upserted', path: 'source' },
      ],
    };
    const { event, values } = tokeniseEvent(
      leadWith({
        email: null,
        attributes: { tax_number: 'DE1', size: 3 },
        billing: { contact: { first: 'Bo', age: 40, none: null }, city: 'Bonn' },
        guests: [{ email: 'bo@example.com' }, { email: '' }],
      }),
      vault('k'),
      keys,
    );
    expect(values.map(({ field, value }) => [field, value])).toEqual([
      ['contact', 'Bo'],
      ['contact', '40'],
      ['email', 'bo@example.com'],
      ['taxNumber', 'DE1'],
    ]);
    expect(event.data).toMatchObject({
      source: 'webinar',
      billing: { city: 'Bonn', contact: { none: null } },
    });
  });

  test('unknown attributes of the envelope are looked through as well', () => {
    const { event } = tokeniseEvent(leadWith({}, { email: 'ada@example.com', tenant: 'eu' }), vault('k'));
    expect(event.extra).toEqual({ tenant: 'eu', email: event.data['email'] });
  });

  test('an amendment holds its target’s personal data', () => {
    const amended = valid({
      ...eventExamples['event.amended'],
      subject: 'lead_1',
      data: {
        targetType: 'lead.upserted',
        targetSource: 's',
        targetId: 'i',
        reason: 'typo',
        data: lead.data,
      },
    });
    const { event, values } = tokeniseEvent(amended, vault('k'));
    expect(values.map(({ value }) => value)).toEqual(['ada@example.com']);
    expect(JSON.stringify(event.data)).not.toContain('ada@example.com');
  });
});

test.each(EVENT_TYPES)('%s: no value of a personal field is left in it', (type) => {
  if (!isEventType(type)) throw new Error('EVENT_TYPES holds types');
  const secret = 'Ada Lovelace';
  for (const path of personalPaths(type)) {
    const [field = '', key] = path.split('.');
    const value = key === undefined ? secret : { [key]: secret };
    const sent = valid({ ...eventExamples[type], data: { ...eventExamples[type].data, [field]: value } });
    const { event, values } = tokeniseEvent(sent, vault('k'));
    expect(JSON.stringify(event.data)).not.toContain(secret);
    expect(values.map((personal) => personal.value)).toContain(secret);
  }
});

describe('tokens', () => {
  test('one person’s e-mail has one token, wherever it stands', () => {
    const { event } = tokeniseEvent(leadWith({ attributes: { email: 'ada@example.com' } }), vault('k'));
    expect(event.data['attributes']).toEqual({ email: event.data['email'] });
  });

  test('tokenising again changes nothing and gives the vault nothing new', () => {
    const ours = vault('k');
    const once = tokeniseEvent(leadWith({ attributes: { name: 'Ada' } }), ours);
    expect(tokeniseEvent(once.event, ours)).toEqual({ event: once.event, values: [] });
  });

  test('what only looks like a token is tokenised: nobody can name another’s token', () => {
    const forged = `pii_${'0'.repeat(64)}`;
    const { event, values } = tokeniseEvent(leadWith({ email: forged }), vault('k'));
    expect(values.map(({ value }) => value)).toEqual([forged]);
    expect(event.data['email']).not.toBe(forged);
    // A token that another vault made is a stranger's text too.
    const foreign = vault('other').token('email', 'ada@example.com');
    expect(tokeniseEvent(leadWith({ email: foreign }), vault('k')).values).toHaveLength(1);
  });

  test('an event without personal data is the same object', () => {
    const event = valid(eventExamples['usage.recorded']);
    expect(tokeniseEvent(event, vault('k')).event).toBe(event);
  });

  test('whatever attributes hold, no personal value is left and nothing else changes', () => {
    const anyAttributes = fc.dictionary(
      fc.constantFrom('email', 'Phone', 'role', 'size', '__proto__'),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(anyAttributes, (attributes) => {
        const sent = Object.fromEntries(
          Object.entries(attributes).map(([key, value]) => [
            key,
            key === 'email' ? `secret ${JSON.stringify(value)}` : value,
          ]),
        );
        const { event, values } = tokeniseEvent(leadWith({ email: null, attributes: sent }), vault('k'));
        const kept = event.data['attributes'] as Record<string, unknown>;
        expect(Object.keys(kept)).toEqual(Object.keys(sent));
        expect(JSON.stringify(kept)).not.toContain('"secret ');
        expect(new Set(values.map(({ token }) => token)).size).toBeLessThanOrEqual(values.length);
      }),
    );
  });
});
