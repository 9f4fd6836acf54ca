import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJsonExact, writeJson } from '../../core/json.js';
import type { RawEvent } from '../../core/raw-event.js';
import { decodeMessage, encodeMessage } from './kafka-message.js';

const event: RawEvent = {
  stream: 'billing',
  source: 'shop',
  id: 'evt_1',
  type: 'invoice.paid',
  subject: 'org_1',
  timeMicros: 1_767_225_600_000_001n,
  data: '{"invoiceId":"in_1","amountMinor":"9007199254740993"}',
  extra: null,
};

/** Objects as ingest has them: read exactly, and written by `writeJson`. */
const jsonText = fc
  .dictionary(fc.string(), fc.jsonValue(), { maxKeys: 5 })
  .map((value) => parseJsonExact(JSON.stringify(value)))
  .filter((read) => read.ok)
  .map((read) => writeJson(read.value));
const idText = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
  // eslint-disable-next-line no-control-regex -- no id holds one
  .filter((text) => !/[\u0000-\u001f\u007f]/.test(text));
const anyEvent: fc.Arbitrary<RawEvent> = fc.record({
  stream: fc.constant('billing'),
  source: idText,
  id: idText,
  type: idText,
  subject: idText,
  timeMicros: fc.bigInt({ min: -2_208_988_800_000_000n, max: 10_413_791_999_999_999n }),
  data: jsonText,
  extra: fc.option(jsonText),
});

describe('a message', () => {
  test('any event comes out as it went in, to the last byte of its data', () => {
    fc.assert(
      fc.property(
        anyEvent,
        fc.bigInt({ min: 0n, max: 10_413_791_999_999_999n }),
        (sent, recordedAtMicros) => {
          expect(decodeMessage(encodeMessage(sent, recordedAtMicros), 'billing')).toMatchObject({
            ok: true,
            event: sent,
            recordedAtMicros,
          });
        },
      ),
    );
  });

  test('its form is a contract: what earlier versions wrote must stay readable', () => {
    const text =
      '{"v":1,"recordedAt":"7","time":"1767225600000001","source":"shop","id":"evt_1","type":"invoice.paid",' +
      '"subject":"org_1","data":{"invoiceId":"in_1","amountMinor":"9007199254740993"}}';
    expect(encodeMessage(event, 7n).toString()).toBe(text);
    expect(decodeMessage(Buffer.from(text), 'billing')).toMatchObject({ event, recordedAtMicros: 7n });
  });

  test('another order of members, and spaces, change nothing', () => {
    const text =
      '{ "data": {"a": 1.50, "extra": {"data": {}}}, "v": 1, "extra": {"t": ",\\"data\\":{"}, "recordedAt": "7", ' +
      '"time": "5", "source": "s", "id": "i", "type": "t", "subject": "o" }';
    expect(decodeMessage(Buffer.from(text), 'crm')).toMatchObject({
      event: {
        ...{ stream: 'crm', source: 's', id: 'i', type: 't', subject: 'o', timeMicros: 5n },
        data: '{"a":1.5,"extra":{"data":{}}}',
        extra: '{"t":",\\"data\\":{"}',
      },
    });
  });

  const refusals: readonly (readonly [string, Buffer | null, string])[] = [
    ['nothing', null, 'not_an_object'],
    ['no bytes', Buffer.alloc(0), 'not_an_object'],
    ['bytes that are no text', Buffer.from([0x7b, 0xff, 0x7d]), 'invalid_utf8'],
    ['text that is no JSON', Buffer.from('hello'), 'invalid_json'],
    ['a CloudEvent', Buffer.from('{"specversion":"1.0","id":"a"}'), 'unsupported_version'],
    ['a later version', Buffer.from('{"v":2}'), 'unsupported_version'],
    ['a list', Buffer.from('[]'), 'wrong_type'],
    ['a member that is missing', replaced('"id":"evt_1",', ''), 'wrong_type'],
    ['a member twice', replaced('"id":"evt_1",', '"id":"evt_1","id":"evt_2",'), 'invalid_json'],
    ['a line break in an id', replaced('evt_1', 'evt\\n1'), 'wrong_type'],
    ['a NUL in its data', replaced('in_1', 'in\\u0000'), 'invalid_json'],
    ['a time that is a number', replaced('"1767225600000001"', '1767225600000001'), 'wrong_type'],
    [
      'data that is a text',
      replaced('{"invoiceId":"in_1","amountMinor":"9007199254740993"}', '"{}"'),
      'wrong_type',
    ],
  ];
  test.each(refusals)('%s is refused, with a reason', (_what, bytes, code) => {
    expect(decodeMessage(bytes, 'billing')).toMatchObject({ ok: false, problem: { code } });
  });
});

function replaced(what: string, by: string): Buffer {
  return Buffer.from(encodeMessage(event, 7n).toString().replace(what, by));
}
