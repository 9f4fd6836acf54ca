import { z } from 'zod';
import { parseInstant, tryParseInstant, type Instant } from '../../core/time.js';

/** An event that counts: its identity's first report, corrections applied. */
export interface StandingEvent {
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly at: Instant;
  readonly data: unknown;
}

const Line = z.object({
  source: z.string(),
  id: z.string(),
  type: z.string(),
  subject: z.string(),
  time: z.string(),
  data: z.unknown(),
});
const Correction = z.object({ targetSource: z.string(), targetId: z.string(), data: z.unknown().optional() });

const identityOf = (source: string, id: string): string => `${source}\n${id}`;

export function inEventOrder(a: StandingEvent, b: StandingEvent): number {
  if (a.at !== b.at) return a.at < b.at ? -1 : 1;
  if (a.source !== b.source) return a.source < b.source ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/**
 * The events of a file that count before `asOf`, in event order: a second, plain reading of docs on identity and
 * corrections, against which the SQL is held. Lines that are not events are passed over.
 */
export function standingEvents(lines: Iterable<string>, asOf: string): StandingEvent[] {
  const first = new Map<string, StandingEvent>();
  for (const line of lines) {
    const event = readLine(line);
    if (event === null) continue;
    const identity = identityOf(event.source, event.id);
    if (!first.has(identity)) first.set(identity, event);
  }
  const known = [...first.values()].filter(({ at }) => at < parseInstant(asOf)).sort(inEventOrder);
  const corrections = known.filter(isCorrection).map((event) => ({ event, ...readCorrection(event) }));
  const voidedCorrections = new Set(
    corrections
      .filter(({ event, target }) => event.type === 'event.voided' && isCorrection(first.get(target)))
      .map(({ target }) => target),
  );
  const voided = new Set<string>();
  const amended = new Map<string, unknown>();
  for (const { event, target, data } of corrections) {
    if (voidedCorrections.has(identityOf(event.source, event.id))) continue;
    if (first.get(target)?.subject !== event.subject) continue;
    if (event.type === 'event.voided') voided.add(target);
    else amended.set(target, data); // in event order, so the greatest (time, source, id) is the last to be set
  }
  return known
    .filter((event) => !isCorrection(event) && !voided.has(identityOf(event.source, event.id)))
    .map((event) => {
      const identity = identityOf(event.source, event.id);
      return amended.has(identity) ? { ...event, data: amended.get(identity) } : event;
    });
}

function isCorrection(event: StandingEvent | undefined): boolean {
  return event !== undefined && event.type.startsWith('event.');
}

function readCorrection({ data }: StandingEvent) {
  const { targetSource, targetId, data: replacement } = Correction.parse(data);
  return { target: identityOf(targetSource, targetId), data: replacement };
}

function readLine(line: string): StandingEvent | null {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return null;
  }
  const parsed = Line.safeParse(json);
  if (!parsed.success) return null;
  const { time, ...event } = parsed.data;
  const at = tryParseInstant(time);
  return at === null ? null : { ...event, at };
}
