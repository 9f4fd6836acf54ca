import { writeJson } from '../json.js';
import type { RawEvent } from '../raw-event.js';
import type { ValidEvent } from './envelope.js';

/** The form in which an event enters log and warehouse. Tokenise first: after this, data is text. */
export function rawEventOf({ data, extra, ...event }: ValidEvent): RawEvent {
  return { ...event, data: writeJson(data), extra: extra === null ? null : writeJson(extra) };
}
