import { currency, flag, id, integer, micros, optional, quantities, quantity, text } from '../fields.js';
import { eventType } from './event-type.js';

const execution = {
  executionId: id('one run of a workflow; its attempts share it'),
  attempt: optional(integer('0 or 1 for the first, then counting up')),
  packageId: id(),
  installId: optional(id()),
  workflow: optional(text()),
  userId: optional(id()),
  usage: optional(quantities('meter → quantity used by this execution')),
  costMicros: optional(micros('what it cost to run, in millionths of the major unit')),
  currency: optional(currency()),
  humanIntervention: optional(flag('somebody had to step in')),
  savedMinutes: optional(quantity('minutes of work that it saved')),
  byoKey: optional(flag("ran on the customer's own model key, so its cost is not ours")),
  error: optional(text()),
};

const running = { ...execution, durationMs: optional(integer()) };
const ended = { ...execution, durationMs: integer('wall-clock milliseconds from start to end') };
const costNeedsCurrency = { rules: [{ kind: 'needs', field: 'costMicros', companion: 'currency' }] } as const;

export const executionEvents = {
  'execution.started': eventType('executions', 'An execution began.', running, costNeedsCurrency),
  'execution.paused': eventType(
    'executions',
    'An execution waits for a limit or an approval.',
    running,
    costNeedsCurrency,
  ),
  'execution.completed': eventType(
    'executions',
    'An execution ended and did what it was for.',
    ended,
    costNeedsCurrency,
  ),
  'execution.failed': eventType('executions', 'An execution ended with an error.', ended, costNeedsCurrency),
  'execution.canceled': eventType(
    'executions',
    'An execution was stopped before its end.',
    ended,
    costNeedsCurrency,
  ),
  'usage.recorded': eventType(
    'executions',
    'Something metered that is not an execution: storage, API calls.',
    {
      meter: id(),
      quantity: quantity(),
      packageId: optional(id()),
      unique: optional(text('what a unique-count meter counts once, for instance a user id', 200)),
    },
  ),
} as const;
