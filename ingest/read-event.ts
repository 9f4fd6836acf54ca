import { isUtf8 } from 'node:buffer';
import type { ValidEvent } from '../core/events/envelope.js';
import type { EventProblem } from '../core/events/problems.js';
import type { PersonalKeys } from '../core/events/personal.js';
import { rawEventOf } from '../core/events/raw-event-of.js';
import { tokeniseEvent, type Tokeniser } from '../core/events/tokenise.js';
import { validateEvent } from '../core/events/validate-event.js';
import { parseJsonExact } from '../core/json.js';
import type { RawEvent } from '../core/raw-event.js';
import type { Instant } from '../core/time.js';
import type { VaultEntry } from '../platform/vault.js';
import { vaultEntries } from './personal-tokens.js';
import { sureEvent } from './sure-event.js';

/** What reading an event depends on beside the event. The same for every way in. */
export interface ReadingRules {
  readonly now: Instant;
  readonly futureSkewMs: number;
  readonly maxEventBytes: number;
  readonly tokeniser: Tokeniser;
  readonly personalKeys: PersonalKeys;
}

export interface AcceptedEvent {
  readonly ok: true;
  /** As it will be stored: without a personal value in it. */
  readonly event: RawEvent;
  /** What must be in the vault before the event is in the log. */
  readonly personal: readonly VaultEntry[];
}

export interface RefusedEvent {
  readonly ok: false;
  /** The event's id where one could be read. */
  readonly id: string | null;
  readonly problems: readonly [EventProblem, ...EventProblem[]];
}

export type ReadEvent = AcceptedEvent | RefusedEvent;

/** From bytes to a storable event or to what is wrong with it. No I/O: the same bytes give the same answer. */
export function readEventBytes(bytes: Uint8Array, rules: ReadingRules): ReadEvent {
  if (bytes.length > rules.maxEventBytes) return tooLarge(bytes.length, rules.maxEventBytes);
  if (!isUtf8(bytes)) {
    return refused('invalid_utf8', 'the event is not UTF-8; save or send it as UTF-8');
  }
  return readEventText(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'), rules);
}

/** The text must be known to be within the size limit. */
export function readEventText(text: string, rules: ReadingRules): ReadEvent {
  const parsed = parseJsonExact(text);
  if (!parsed.ok) {
    return refused('invalid_json', `the event is not JSON: ${parsed.message} (at character ${parsed.at})`);
  }
  return readEventValue(parsed.value, rules);
}

/** A value that `parseJsonExact` gave. */
export function readEventValue(value: unknown, rules: ReadingRules): ReadEvent {
  const sure = sureEvent(value, rules.now + BigInt(rules.futureSkewMs) * 1000n);
  if (sure) return accepted(sure, rules);
  const validation = validateEvent(value, rules.now, rules.futureSkewMs);
  if (validation.ok) return accepted(validation.event, rules);
  return { ok: false, id: idOf(value), problems: validation.problems };
}

function accepted(valid: ValidEvent, { tokeniser, personalKeys }: ReadingRules): AcceptedEvent {
  const { event, values } = tokeniseEvent(valid, tokeniser, personalKeys);
  return { ok: true, event: rawEventOf(event), personal: vaultEntries(event, values) };
}

export function tooLarge(sizeBytes: number, maxEventBytes: number): RefusedEvent {
  return refused(
    'event_too_large',
    `the event has ${sizeBytes} bytes and the limit is ${maxEventBytes}; send less with it, ` +
      'or raise HEADGATE_MAX_EVENT_BYTES',
  );
}

function refused(code: EventProblem['code'], message: string): RefusedEvent {
  return { ok: false, id: null, problems: [{ path: '', code, message }] };
}

function idOf(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || !('id' in value)) return null;
  return typeof value.id === 'string' && value.id.length <= 200 ? value.id : null;
}
