import { id, oneOf, openObject, optional, text } from '../fields.js';
import { STREAMS } from '../raw-event.js';
import { eventType } from './event-type.js';

const target = {
  targetType: text('type of the event that is corrected', 100),
  targetSource: id(),
  targetId: id(),
  targetStream: optional(
    oneOf(STREAMS, 'needed when the target is itself a correction, whose type names no stream'),
  ),
  reason: text(),
};

export const CORRECTION_TYPES = ['event.voided', 'event.amended'] as const;

/** What holds between targetType, targetStream and data needs the registry; validate-event checks it. */
export const correctionEvents = {
  'event.voided': eventType('target', 'The target never counted.', target),
  'event.amended': eventType('target', "The target's data is replaced, whole, by this data.", {
    ...target,
    data: openObject("valid for the target's type"),
  }),
} as const;
