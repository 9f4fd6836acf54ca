import { z } from 'zod';
import { fieldRegistry, id, instant, text } from '../fields.js';
import type { Stream } from '../raw-event.js';
import type { Instant } from '../time.js';
import type { EventType } from '../events.js';

export const SPEC_VERSION = '1.0';
export const TYPE_MAX_LENGTH = 100;

/** Checked and passed on as it is: `z.record` would copy it, and lose a key named `__proto__` on the way. */
function isJsonObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** CloudEvents 1.0 in JSON, as far as every type shares it. Unknown attributes are kept. */
export const Envelope = z
  .looseObject({
    specversion: z.literal(SPEC_VERSION),
    id: id('unique within source, for ever'),
    source: id('who says so; with id it is the identity of the event'),
    type: text('what happened; the types there are: GET /v1/schemas', TYPE_MAX_LENGTH),
    subject: id("the customer org's id, or what the type's page says"),
    time: instant('when it happened: RFC 3339 with an offset'),
    data: z.custom<Readonly<Record<string, unknown>>>(isJsonObject).register(fieldRegistry, { kind: 'json' }),
  })
  .register(fieldRegistry, { kind: 'object' });

export type Envelope = z.infer<typeof Envelope>;

export const ENVELOPE_ATTRIBUTES: ReadonlySet<string> = new Set(Object.keys(Envelope.shape));

/** An event that passed its schema. `data` and `extra` are what was sent, unknown fields included. */
export interface ValidEvent {
  readonly stream: Stream;
  readonly id: string;
  readonly source: string;
  readonly type: EventType;
  readonly subject: string;
  readonly timeMicros: Instant;
  readonly data: Readonly<Record<string, unknown>>;
  /** Attributes of the envelope that the contract does not know; null when there are none. */
  readonly extra: Readonly<Record<string, unknown>> | null;
}

/** What a producer sends; the shape of examples and of events that fixtures write. */
export interface SentEvent {
  readonly specversion: typeof SPEC_VERSION;
  readonly id: string;
  readonly source: string;
  readonly type: EventType;
  readonly subject: string;
  readonly time: string;
  readonly data: Readonly<Record<string, unknown>>;
}
