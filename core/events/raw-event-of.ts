import { writeJson } from '../json.js';
import type { RawEvent } from '../raw-event.js';
import type { ValidEvent } from './envelope.js';

/** The form in which an event enters log and warehouse. Tokenise first: after this, data is text. */
export function rawEventOf(valid: ValidEvent): RawEvent {
  // Field by field: to spread the rest costs more than to write the JSON.
  return {
    stream: valid.stream,
    source: valid.source,
    id: valid.id,
    type: valid.type,
    subject: valid.subject,
    timeMicros: valid.timeMicros,
    data: writeJson(valid.data),
    extra: valid.extra === null ? null : writeJson(valid.extra),
  };
}
