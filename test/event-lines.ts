import { eventExamples } from '../core/events/examples.js';
import { fieldSpecs, type FieldSpec } from '../core/events/field-specs.js';
import { EVENT_TYPES, isEventType } from '../core/events.js';

const types = EVENT_TYPES.filter(isEventType);

/** Texts that somebody's encoder may produce and that the two readers could read differently. */
const awkwardTexts = [
  '"plain"',
  '""',
  '"ünï 𝄞 ́x"',
  '"a\\u00e9b"',
  '"a\\/b"',
  '"tab\\tx"',
  '"\\ud800"',
  '"del\u007f"',
  '"nul\\u0000"',
  `"${'x'.repeat(200)}"`,
  `"${'x'.repeat(201)}"`,
  `"${'é'.repeat(150)}"`,
  `"${'x'.repeat(2001)}"`,
  '"company"',
  '"tok_00"',
];
const awkwardNumbers = [
  '0',
  '-0',
  '1',
  '-1',
  '1.0',
  '1.5',
  '1.50',
  '100.0',
  '1e3',
  '5e-3',
  '1E400',
  '0.0000001',
  '0.000001',
  '999999999999999',
  '9007199254740993',
  '12345678901234567890123',
  '0.12345678901234567',
  '0.10000000000000000001',
  '3.141592653589',
  '01',
  '1.',
  '.5',
  '+1',
  'NaN',
  'Infinity',
  '-1.25',
  '123456789.123456',
  '1234567890.123456',
  '0.1234567890123',
];
const awkwardStrings = [
  '"1"',
  '"1.50"',
  '"-3"',
  '"007"',
  '"1e3"',
  '"999999999999999999"',
  '"9999999999999999999"',
  '"0.1234567890123"',
  '"0"',
  '"USD"',
  '"usd"',
  '"JPY"',
  '"XXX"',
  '"EUR "',
  '"2026-01-31"',
  '"2026-02-30"',
  '"2026-01-31T10:00:00Z"',
  '"2026-01-31T10:00:00.123456Z"',
  '"2026-01-31T10:00:00.1234567Z"',
  '"2026-01-31T10:00:00+02:00"',
  '"2026-01-31t10:00:00z"',
  '"2026-01-31T24:00:00Z"',
  '"1899-12-31T00:00:00Z"',
  '"2299-12-31T23:59:59Z"',
  '"2300-01-01T00:00:00Z"',
  '"2027-01-01T00:00:00Z"',
  '"2024-02-29"',
  '"2023-02-29"',
  '"Europe/Berlin"',
];
const awkwardOthers = [
  'null',
  'true',
  'false',
  '{}',
  '[]',
  '[{}]',
  '[null]',
  '{"a":1}',
  '{"a":1,"a":2}',
  '{"ai":1,"b":"2.5"}',
  '{"1":1,"a":2}',
  '{"m":1.5}',
  '{"m":5e-3}',
  '["test","internal"]',
  '["nope"]',
  '[{"lineId":"l","amountMinor":1}]',
  '{"__proto__":1}',
  '[1,2',
];
const anyToken = [...awkwardTexts, ...awkwardNumbers, ...awkwardStrings, ...awkwardOthers];

/** Seeded, so that a failure can be run again. fast-check's own generators take half a minute for these lines. */
export class Dice {
  constructor(private state: number) {}

  below(limit: number): number {
    this.state = (Math.imul(this.state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.state / 2 ** 32) * limit);
  }

  pick(choices: readonly string[]): string {
    return choices[this.below(choices.length)] ?? '';
  }

  word(): string {
    const letters = 'a b c d e f x y z 0 1 9 _ é 𝄞'.split(' ');
    return Array.from({ length: 1 + this.below(12) }, () => this.pick(letters)).join('');
  }
}

function validToken(spec: FieldSpec, dice: Dice): string {
  switch (spec.kind) {
    case 'enum':
      return JSON.stringify(dice.pick(spec.values ?? []));
    case 'currency':
      return dice.pick(['"USD"', '"EUR"', '"JPY"']);
    case 'boolean':
      return dice.pick(['true', 'false']);
    case 'integer':
    case 'micros':
      return String(dice.below(1_000_000));
    case 'minor':
      return dice.pick([String(dice.below(1_000_000)), `"${dice.below(9999)}"`, '-5', '"-5"']);
    case 'quantity':
      return dice.pick(['1', '0', '2.5', '"3.250"', '0.05', '12345']);
    case 'rate':
      return dice.pick(['"1.0834"', '"0.5"']);
    case 'percent':
      return dice.pick(['10', '"12.5"', '100']);
    case 'instant':
      return dice.pick([
        '"2026-01-05T09:00:00Z"',
        '"2026-01-05T09:00:00.25Z"',
        '"2026-01-05T09:00:00+01:00"',
      ]);
    case 'date':
      return dice.pick(['"2026-01-05"', '"2026-02-05T09:00:00Z"', '"2025-01-05"']);
    case 'zone':
      return dice.pick(['"Europe/Berlin"', '"UTC"']);
    case 'quantities':
      return dice.pick(['{"ai":1}', '{"ai":1.5,"storage_gb":"2.5"}', '{}']);
    case 'json':
    case 'object':
      return spec.fields ? objectToken(spec.fields, dice) : dice.pick(['{"a":1}', '{"email":"x@y.z"}', '{}']);
    case 'list': {
      const { element } = spec;
      if (!element) return '[]';
      return `[${Array.from({ length: dice.below(4) }, () => validToken(element, dice)).join(',')}]`;
    }
    case 'text':
    case 'id':
      return JSON.stringify(dice.word());
  }
}

function objectToken(fields: readonly FieldSpec[], dice: Dice): string {
  const members = fields.map((spec) => {
    if (spec.optional && dice.below(3) === 0) return '';
    return `${JSON.stringify(spec.name)}:${spec.optional && dice.below(12) === 0 ? 'null' : validToken(spec, dice)}`;
  });
  return `{${members.filter((member) => member !== '').join(',')}}`;
}

function validEvent(dice: Dice): string {
  const type = types[dice.below(types.length)] ?? 'session.active';
  const data = objectToken(fieldSpecs(type), dice);
  const { subject } = eventExamples[type];
  return `{"specversion":"1.0","id":"evt_${dice.below(400)}","source":"test","type":"${type}","subject":"${subject}","time":"2026-03-01T00:00:00.5Z","data":${data}}`;
}

/** One blow to a valid line, somewhere a producer, a proxy or an attacker could deal it. */
const mutations: readonly ((line: string, dice: Dice) => string)[] = [
  ...Array.from({ length: 12 }, () => (line: string, dice: Dice) => replaceToken(line, dice)),
  (line, dice) => splice(line, dice, 0, ' '),
  (line, dice) => splice(line, dice, 1, ''),
  (line, dice) =>
    splice(
      line,
      dice,
      1,
      dice.pick(['{', '}', '[', ']', ':', ',', '"', '\\', '0', 'e', '.', '-', '\t', '\u0001']),
    ),
  (line, dice) => line.slice(0, dice.below(line.length)),
  (line) => ` ${line}`,
  (line) => `${line}\r`,
  (line) => line.replaceAll('":', '": ').replaceAll(',"', ', "'),
  (line) => line.replace('"data":{', '"data":{"unknown":1,'),
  (line) => line.replace('"data":{', '"data":{"workflow":"a","workflow":"b",'),
  (line) => line.replace('"id":', '"id":"x","id":'),
  (line) => line.replace('"id":', '"traceparent":"00-1","id":'),
  (line) => line.replace('"id":', '"email":"ana@example.com","id":'),
  (line) => line.replace(/\}\}$/, '},}'),
  (line) => line.replace('"data":{', '"data":[{').replace(/\}$/, ']}'),
  (line) => line.replace(/"data":\{.*\}\}$/, '"data":5}'),
  (line) => line.replace('"1.0"', '1.0'),
  (line) => line.replace('"1.0"', '"1.00"'),
  (line) => line.replace('"test"', '"te\\u0073t"'),
  (line) => line.replace('"subject"', '"Subject"'),
  (line) => line.replace('00.5Z', '00+00:00'),
  (line) => line.replace('2026-03-01', '2026-07-01'),
  (line) => line.replace('"evt_', '"\u0301evt_'),
  (line) => `\ufeff${line}`,
  () => '',
  () => 'null',
  () => '[]',
];

function splice(line: string, dice: Dice, remove: number, insert: string): string {
  const at = dice.below(line.length);
  return line.slice(0, at) + insert + line.slice(at + remove);
}

function replaceToken(line: string, dice: Dice): string {
  const values = [...line.matchAll(/(?<=":)(?:"[^"]*"|-?[0-9.]+|true|false|null|\{[^{}]*\}|\[[^[\]]*\])/g)];
  const value = values[dice.below(values.length)];
  if (!value) return line;
  return line.slice(0, value.index) + dice.pick(anyToken) + line.slice(value.index + value[0].length);
}

export function anyLine(dice: Dice): string {
  let line = validEvent(dice);
  for (let blows = dice.below(5) - 2; blows > 0; blows -= 1) {
    line = mutations[dice.below(mutations.length)]?.(line, dice) ?? line;
  }
  return line.replaceAll('\n', ' ');
}
