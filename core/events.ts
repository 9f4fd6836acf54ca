import type { z } from 'zod';
import { correctionEvents } from './events/corrections.js';
import { crmEvents, partnerEvents } from './events/crm.js';
import type { EventDefinition } from './events/event-type.js';
import { executionEvents } from './events/executions.js';
import { installEvents } from './events/installs.js';
import { invoiceEvents } from './events/invoices.js';
import { ledgerEvents } from './events/ledgers.js';
import { subscriptionEvents } from './events/subscriptions.js';
import type { Stream } from './raw-event.js';

/** Every type of event that Headgate knows, and what its `data` must be. */
export const eventTypes = {
  ...executionEvents,
  ...installEvents,
  ...subscriptionEvents,
  ...invoiceEvents,
  ...ledgerEvents,
  ...crmEvents,
  ...partnerEvents,
  ...correctionEvents,
} as const;

export type EventType = keyof typeof eventTypes;
/** `data` of one type, as its schema infers it; unknown fields are kept beside the known ones. */
export type EventData<Type extends EventType> = z.infer<(typeof eventTypes)[Type]['data']>;

// A Map beside the object: `eventTypes[text]` would find "constructor" too.
const definitions: ReadonlyMap<string, EventDefinition<z.ZodType>> = new Map(Object.entries(eventTypes));

export const EVENT_TYPES: readonly string[] = [...definitions.keys()];

export function isEventType(type: string): type is EventType {
  return definitions.has(type);
}

export function eventDefinition(type: string): EventDefinition<z.ZodType> | undefined {
  return definitions.get(type);
}

/** The stream a type belongs to; null for corrections (their target's) and for types nobody knows. */
export function streamOfType(type: string): Stream | null {
  const stream = definitions.get(type)?.stream;
  return stream === undefined || stream === 'target' ? null : stream;
}
