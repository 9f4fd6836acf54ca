import { describe, expect, test } from 'vitest';
import { parseInstant } from '../time.js';
import { eventExamples } from './examples.js';
import { rawEventOf } from './raw-event-of.js';
import { validateEvent } from './validate-event.js';

const now = parseInstant('2026-12-31T00:00:00Z');

const problems = (value: unknown, at = now): unknown => {
  const result = validateEvent(value, at);
  return result.ok ? [] : result.problems.map(({ path, code }) => `${path} ${code}`);
};
const messages = (value: unknown): string => {
  const result = validateEvent(value, now);
  return result.ok ? '' : result.problems.map(({ message }) => message).join('\n');
};
const invoice = eventExamples['invoice.finalized'];
const withData = (changes: object): object => ({ ...invoice, data: { ...invoice.data, ...changes } });

describe('money', () => {
  test.each([12.5, '12.50', 0.1, 1e-7, '1e-2'])(
    '%j, a fraction, is refused where minor units belong',
    (totalMinor) => {
      expect(problems(withData({ totalMinor }))).toEqual(['data.totalMinor money_not_integer']);
    },
  );

  test.each([0, -5, '0', '-5', '999999999999999999', Number.MAX_SAFE_INTEGER])(
    '%j is an amount',
    (totalMinor) => {
      expect(problems(withData({ totalMinor }))).toEqual([]);
    },
  );

  test.each(['9999999999999999999', 1e21, 2 ** 53])(
    '%j does not fit in 64 bits, or in a double',
    (totalMinor) => {
      expect(problems(withData({ totalMinor }))).toEqual(['data.totalMinor out_of_range']);
    },
  );

  test.each([true, [], {}, 'ten', '', '0x10', '٣'])('%j is no amount', (totalMinor) => {
    expect(problems(withData({ totalMinor }))).toEqual(['data.totalMinor wrong_type']);
  });

  test('the message says what is wrong, where, and what to do', () => {
    expect(messages(withData({ totalMinor: 12.5 }))).toBe(
      'data.totalMinor: 12.5 is a fraction where whole minor units belong; send whole minor units ' +
        '(1250 for 12.50 USD), as an integer or a string of digits',
    );
  });

  test('a payment can not be negative, an invoice line can', () => {
    const paid = eventExamples['invoice.paid'];
    expect(problems({ ...paid, data: { ...paid.data, amountMinor: -1 } })).toEqual([
      'data.amountMinor out_of_range',
    ]);
    expect(problems({ ...paid, data: { ...paid.data, currency: null } })).toEqual([
      'data.currency missing_field',
    ]);
    expect(problems(withData({ lines: [{ lineId: 'l', kind: 'services', amountMinor: -1 }] }))).toEqual([]);
  });

  test('a currency that is none is refused with the nearest that is one', () => {
    expect(problems(withData({ currency: 'USB' }))).toEqual(['data.currency unknown_currency']);
    expect(messages(withData({ currency: 'USB' }))).toContain('did you mean "USD"?');
    expect(problems(withData({ currency: 'usd' }))).toEqual(['data.currency unknown_currency']);
    expect(problems(withData({ currency: 840 }))).toEqual(['data.currency wrong_type']);
  });

  test('a cost needs its currency beside it', () => {
    const event = eventExamples['execution.completed'];
    const data = { ...event.data, currency: undefined };
    expect(problems({ ...event, data })).toEqual(['data.currency missing_field']);
  });
});

describe('quantities', () => {
  const usage = eventExamples['usage.recorded'];
  const withQuantity = (quantity: unknown): object => ({ ...usage, data: { ...usage.data, quantity } });

  test.each([0, 1, 0.25, '0.25', '999999999999999999.999999999999', 1e-12, '12345678901234567.25'])(
    '%j is a quantity',
    (quantity) => {
      expect(problems(withQuantity(quantity))).toEqual([]);
    },
  );

  test.each([0.1 + 0.2, '0.0000000000001', '1000000000000000000', '1,5', '', '1e3', ' 1'])(
    '%j does not fit a column of quantities',
    (quantity) => {
      expect(problems(withQuantity(quantity))).toEqual(['data.quantity invalid_decimal']);
    },
  );

  test('less than nothing is not used', () => {
    expect(problems(withQuantity(-1))).toEqual(['data.quantity out_of_range']);
    expect(problems(withQuantity('-1'))).toEqual(['data.quantity invalid_decimal']);
  });

  test('a meter inside usage is named by its path', () => {
    const event = eventExamples['execution.completed'];
    expect(problems({ ...event, data: { ...event.data, usage: { ops: '1.x' } } })).toEqual([
      'data.usage.ops invalid_decimal',
    ]);
  });
});

describe('the envelope', () => {
  test.each([null, 1, 'x', [], [invoice]])('%j is not an event', (value) => {
    expect(problems(value)).toEqual([' not_an_object']);
  });

  test('each missing attribute is named', () => {
    expect(problems({})).toEqual(
      ['specversion', 'id', 'source', 'type', 'subject', 'time', 'data'].map(
        (name) => `${name} missing_field`,
      ),
    );
  });

  test.each([
    [{ specversion: '0.3' }, 'specversion unsupported_version'],
    [{ specversion: 1 }, 'specversion unsupported_version'],
    [{ id: '' }, 'id missing_field'],
    [{ id: 'a\nb' }, 'id invalid_text'],
    [{ id: 'x'.repeat(201) }, 'id too_long'],
    [{ source: 7 }, 'source wrong_type'],
    [{ subject: 'org\u0000' }, 'subject invalid_text'],
    [{ time: '2026-01-01' }, 'time invalid_instant'],
    [{ time: '2026-01-01T00:00:00' }, 'time invalid_instant'],
    [{ time: 1767225600 }, 'time wrong_type'],
    [{ data: 'text' }, 'data wrong_type'],
    [{ data: [] }, 'data wrong_type'],
    [{ data: undefined, data_base64: 'e30=' }, 'data unsupported_data'],
  ])('%j is a problem of its own', (changes, expected) => {
    expect(problems({ ...invoice, ...changes })).toEqual([expected]);
  });

  test('an unknown type is answered with the one that was meant', () => {
    expect(problems({ ...invoice, type: 'invoice.finalised' })).toEqual(['type unknown_type']);
    expect(messages({ ...invoice, type: 'invoice.finalised' })).toContain(
      'did you mean "invoice.finalized"?',
    );
    expect(messages({ ...invoice, type: 'zzz' })).toContain('GET /v1/schemas');
  });

  test('facts of the whole company are about the company, a partner’s about the partner', () => {
    expect(problems({ ...eventExamples['spend.recorded'], subject: 'org_acme' })).toEqual([
      'subject wrong_subject',
    ]);
    expect(problems({ ...eventExamples['payout.paid'], subject: 'org_acme' })).toEqual([
      'subject wrong_subject',
    ]);
    expect(problems({ ...eventExamples['marketplace.sale'], subject: 'ptr_1' })).toEqual([
      'subject wrong_subject',
    ]);
  });
});

describe('time', () => {
  const at = (time: string): object => ({ ...invoice, time });

  test('a clock may run five minutes ahead and not a microsecond more', () => {
    expect(problems(at('2026-12-31T00:05:00Z'))).toEqual([]);
    expect(problems(at('2026-12-31T00:05:00.000001Z'))).toEqual(['time time_in_future']);
    expect(problems(at('2026-12-31T01:04:00+01:00'))).toEqual([]);
    expect(messages(at('2027-06-01T00:00:00Z'))).toContain("check the producer's clock");
  });

  test('the limit is the caller’s', () => {
    expect(validateEvent(at('2026-12-31T00:00:01Z'), now, 0).ok).toBe(false);
    expect(validateEvent(at('2027-01-01T00:00:00Z'), now, 86_400_000).ok).toBe(true);
  });

  test('a period must not end before it starts', () => {
    const line = {
      lineId: 'l',
      kind: 'services',
      amountMinor: 1,
      periodStart: '2026-02-01',
      periodEnd: '2026-01-01',
    };
    expect(problems(withData({ lines: [line] }))).toEqual(['data.lines[0].periodEnd period_reversed']);
    // One-off lines of some billing systems start and end at one instant.
    expect(problems(withData({ lines: [{ ...line, periodEnd: '2026-02-01T00:00:00Z' }] }))).toEqual([]);
  });
});

describe('fields that depend on each other', () => {
  test('a discount is a share or an amount', () => {
    const event = eventExamples['subscription.started'];
    const discounted = (discount: object): object => ({
      ...event,
      data: { ...event.data, discounts: [discount] },
    });
    expect(problems(discounted({ percentOff: 10, amountOffMinor: 5 }))).toEqual([
      'data.discounts[0].percentOff too_many_fields',
    ]);
    expect(problems(discounted({}))).toEqual(['data.discounts[0].percentOff missing_field']);
    expect(problems(discounted({ percentOff: 101 }))).toEqual(['data.discounts[0].percentOff out_of_range']);
    expect(problems(discounted({ percentOff: '33.3333' }))).toEqual([]);
  });

  test('a credit is an amount with its currency, or a quantity of a meter', () => {
    const event = eventExamples['credit.granted'];
    const credit = (data: object): object => ({ ...event, data: { creditId: 'c', reason: 'r', ...data } });
    expect(problems(credit({}))).toEqual(['data.amountMinor missing_field']);
    expect(problems(credit({ amountMinor: 1 }))).toEqual(['data.currency missing_field']);
    expect(problems(credit({ meter: 'm' }))).toEqual(['data.quantity missing_field']);
    expect(problems(credit({ amountMinor: 1, currency: 'USD' }))).toEqual([]);
  });

  test('a view is of a package or a bundle, a trial of one of three', () => {
    const view = eventExamples['package.viewed'];
    expect(problems({ ...view, data: {} })).toEqual(['data.packageId missing_field']);
    expect(problems({ ...view, data: { bundleId: 'b' } })).toEqual([]);
    const trial = eventExamples['trial.started'];
    expect(problems({ ...trial, data: { trialId: 't' } })).toEqual(['data.packageId missing_field']);
  });

  test('an NPS answer is a whole number from 0 to 10, other scores are not bound to that', () => {
    const survey = eventExamples['survey.responded'];
    const answer = (kind: string, score: unknown): object => ({
      ...survey,
      data: { ...survey.data, kind, score },
    });
    expect(problems(answer('nps', 11))).toEqual(['data.score out_of_range']);
    expect(problems(answer('nps', 7.5))).toEqual(['data.score out_of_range']);
    expect(problems(answer('nps', '10'))).toEqual([]);
    expect(problems(answer('csat', 4.5))).toEqual([]);
  });

  test('an execution that has ended says how long it took, one that runs need not', () => {
    const data = { executionId: 'e', packageId: 'p' };
    expect(problems({ ...eventExamples['execution.failed'], data })).toEqual([
      'data.durationMs missing_field',
    ]);
    expect(problems({ ...eventExamples['execution.started'], data })).toEqual([]);
  });
});

describe('corrections', () => {
  const amended = eventExamples['event.amended'];
  const voided = eventExamples['event.voided'];
  const correction = (event: typeof amended, changes: object): object => ({
    ...event,
    data: { ...event.data, ...changes },
  });

  test('a correction goes into the stream of its target', () => {
    const result = validateEvent(correction(voided, { targetType: 'deal.upserted' }), now);
    expect(result).toMatchObject({ ok: true, event: { stream: 'crm' } });
  });

  test('amended data must be valid for the target, and is named by its path', () => {
    expect(
      problems(correction(amended, { data: { executionId: 'e', packageId: 'p', durationMs: -1 } })),
    ).toEqual(['data.data.durationMs out_of_range']);
  });

  test('a correction can only be voided, and then its stream must be named', () => {
    const target = { targetType: 'event.amended', targetStream: 'billing' };
    expect(problems(correction(amended, target))).toEqual(['data.targetType correction_of_correction']);
    expect(problems(correction(voided, { targetType: 'event.amended' }))).toEqual([
      'data.targetStream missing_field',
    ]);
    expect(validateEvent(correction(voided, target), now)).toMatchObject({
      ok: true,
      event: { stream: 'billing' },
    });
  });

  test('a target nobody knows, or a stream that is not the target’s, is refused', () => {
    expect(problems(correction(voided, { targetType: 'deal.upsert' }))).toEqual([
      'data.targetType unknown_type',
    ]);
    expect(problems(correction(voided, { targetStream: 'crm' }))).toEqual([
      'data.targetStream unknown_value',
    ]);
  });
});

describe('privacy of messages', () => {
  test('what was typed into a text, an id or a personal field is never repeated', () => {
    const secret = 'ada@example.com\n';
    const lead = eventExamples['lead.upserted'];
    const told = [
      messages({ ...lead, data: { ...lead.data, email: [secret] } }),
      messages({ ...lead, data: { ...lead.data, ownerId: secret } }),
      messages({ ...lead, subject: secret }),
      messages({ ...lead, data: { ...lead.data, source: { secret } } }),
    ];
    expect(told.filter((message) => message === '' || message.includes('ada@'))).toEqual([]);
  });
});

test('no key of data is lost on the way, not even one that JavaScript reads as its own', () => {
  const data: unknown = JSON.parse('{"meter":"m","quantity":1,"__proto__":{"a":1},"constructor":2}');
  const result = validateEvent({ ...eventExamples['usage.recorded'], data }, now);
  expect(result.ok && rawEventOf(result.event).data).toBe(
    '{"meter":"m","quantity":1,"__proto__":{"a":1},"constructor":2}',
  );
});

test('a valid event becomes a raw one with its data as it came', () => {
  const usage = eventExamples['usage.recorded'];
  const result = validateEvent({ ...usage, tenant: 'eu', data: { zeta: 1e-7, ...usage.data } }, now);
  expect(result.ok && rawEventOf(result.event)).toEqual({
    stream: 'executions',
    source: 'docs',
    id: 'usage-recorded-1',
    type: 'usage.recorded',
    subject: 'org_acme',
    // 2026-01-31T22:00:00Z
    timeMicros: parseInstant('2026-01-31T22:00:00Z'),
    data: '{"zeta":0.0000001,"meter":"storage_gb","quantity":"3.25","unique":"bucket_7"}',
    extra: '{"tenant":"eu"}',
  });
});
