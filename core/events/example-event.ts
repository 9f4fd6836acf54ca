import type { EventData, EventType } from '../events.js';
import { SPEC_VERSION, type SentEvent } from './envelope.js';

/** The customer whose first weeks the examples tell. */
export const ORG = 'org_acme';

/** One example under its type's name, so that a list of them is a record whose types the compiler checks. */
export function example<Type extends EventType>(
  type: Type,
  subject: string,
  time: string,
  data: EventData<Type>,
): Readonly<Record<Type, SentEvent>>;
export function example(type: EventType, subject: string, time: string, data: SentEvent['data']): object {
  const id = `${type.replace(/[._]/g, '-')}-1`;
  return { [type]: { specversion: SPEC_VERSION, id, source: 'docs', type, subject, time, data } };
}
