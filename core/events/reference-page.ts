import { eventDefinition, EVENT_TYPES, isEventType, type EventType } from '../events.js';
import { writeJson } from '../json.js';
import { STREAMS } from '../raw-event.js';
import { eventExamples } from './examples.js';
import { typeSpec, type FieldSpec } from './field-specs.js';

const HEAD = `# Events

Generated from the schemas in \`core/events/\`. Headgate reads CloudEvents 1.0 in JSON: one object, an array
(\`application/cloudevents-batch+json\`) or NDJSON. \`subject\` is the customer org's id unless said otherwise. Unknown fields are kept.

Identity is (stream, \`source\`, \`id\`), for ever: the same identity with the same content counts once; with other content it is a
conflict, and the first stands until somebody decides. Order does not matter.

Fields marked *personal* never enter the log or the warehouse: a token stands there, the value is in the vault.
`;

const TITLES = {
  executions: 'Executions',
  installs: 'Installs',
  billing: 'Billing',
  crm: 'CRM',
  target: 'Corrections (in the stream of their target)',
} as const;

function kindOf(field: FieldSpec): string {
  if (field.values !== undefined) return field.values.join(' / ');
  if (field.element !== undefined) return `list of ${kindOf(field.element)}`;
  if (field.fields !== undefined && field.fields.length > 0) {
    return `{ ${field.fields.map((inner) => `${inner.name}${inner.optional ? '?' : ''}`).join(', ')} }`;
  }
  return field.kind;
}

function fieldRow(field: FieldSpec): string {
  const notes = [
    field.description,
    field.personal === undefined ? undefined : `*personal* (${field.personal})`,
  ];
  return `| \`${field.name}\`${field.optional ? '?' : ''} | ${kindOf(field)} | ${notes.filter((note) => note !== undefined).join('; ')} |`;
}

function section(type: EventType): string {
  const { fields } = typeSpec(type);
  return [
    `### \`${type}\``,
    eventDefinition(type)?.summary ?? '',
    ['| field | kind | |', '|---|---|---|', ...fields.map(fieldRow)].join('\n'),
    `    ${writeJson(eventExamples[type])}`,
  ].join('\n\n');
}

/** docs/events.md, from the schemas that ingest checks with: the page can't say anything else than they do. */
export function eventsPage(): string {
  const groups = [...STREAMS, 'target' as const].map((stream) => {
    const types = EVENT_TYPES.filter(isEventType).filter((type) => eventDefinition(type)?.stream === stream);
    return [`## ${TITLES[stream]}`, ...types.map(section)].join('\n\n');
  });
  return `${[HEAD, ...groups].join('\n\n')}\n`;
}
