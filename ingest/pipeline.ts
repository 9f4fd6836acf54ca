import type { PersonalKeys } from '../core/events/personal.js';
import type { EventProblem } from '../core/events/problems.js';
import type { Instant } from '../core/time.js';
import type { EventLog } from '../platform/log/event-log.js';
import type { Vault } from '../platform/vault.js';
import { tokeniserFor } from './personal-tokens.js';
import type { QuarantineStore } from './quarantine-store.js';
import { readBody, type BodyEvent, type BodyFormat, type BodyLimits } from './read-body.js';
import type { AcceptedEvent } from './read-event.js';

export interface IngestLimits extends BodyLimits {
  readonly eventBytes: number;
  readonly futureSkewSeconds: number;
}

/** What every way in needs. */
export interface IngestServices {
  readonly log: EventLog;
  readonly vault: Vault;
  readonly quarantine: QuarantineStore;
  readonly limits: IngestLimits;
  /** Of the catalog in force: which keys and fields of its own hold personal data. */
  readonly personalKeys: () => Promise<PersonalKeys>;
}

export type EventResult =
  | { readonly index: number; readonly status: 'accepted'; readonly id: string }
  | {
      readonly index: number;
      readonly status: 'quarantined';
      readonly id: string | null;
      readonly quarantineId: string;
      readonly problem: EventProblem;
    };

export interface IngestAnswer {
  readonly accepted: number;
  readonly quarantined: number;
  /** One for each event, in the order sent. */
  readonly results: readonly EventResult[];
}

/**
 * The one way in: parse, validate, tokenise, append, quarantine. When it returns, every event of the body is either
 * durable in the log or durable in quarantine; one bad event never blocks its neighbours.
 *
 * @throws InputError when the body as a whole can't be taken (then nothing of it was)
 * @throws UnavailableError when something is full or away: nothing was accepted, and the same body may be sent
 *   again, since identity makes a second copy count once
 */
export async function ingestBody(
  body: Uint8Array,
  format: BodyFormat,
  services: IngestServices,
  now: Instant,
): Promise<IngestAnswer> {
  const { limits, vault, personalKeys } = services;
  const events = readBody(
    body,
    format,
    {
      now,
      futureSkewMs: limits.futureSkewSeconds * 1000,
      maxEventBytes: limits.eventBytes,
      tokeniser: await tokeniserFor(vault, [body]),
      personalKeys: await personalKeys(),
    },
    limits,
  );
  return storeEvents(events, services, now);
}

/** Order matters: personal values before the events that name them, the bad ones before the good are told. */
async function storeEvents(
  events: readonly BodyEvent[],
  services: IngestServices,
  now: Instant,
): Promise<IngestAnswer> {
  const accepted = events.map(({ read }) => read).filter((read): read is AcceptedEvent => read.ok);
  await keepPersonalValues(accepted, services.vault, now);
  const quarantineIds = await keepRefused(events, services.quarantine, now);
  await services.log.append(
    accepted.map(({ event }) => event),
    { recordedAtMicros: now },
  );
  let refusals = 0;
  const results = events.map(({ read }, index): EventResult => {
    if (read.ok) return { index, status: 'accepted', id: read.event.id };
    const quarantineId = quarantineIds[refusals] ?? '';
    refusals += 1;
    return { index, status: 'quarantined', id: read.id, quarantineId, problem: read.problems[0] };
  });
  return { accepted: accepted.length, quarantined: refusals, results };
}

export async function keepPersonalValues(
  accepted: readonly AcceptedEvent[],
  vault: Vault,
  now: Instant,
): Promise<void> {
  const entries = accepted.flatMap(({ personal }) => personal);
  if (entries.length > 0) await vault.put(entries, now);
}

function keepRefused(events: readonly BodyEvent[], store: QuarantineStore, now: Instant): Promise<string[]> {
  const refusals = events.flatMap(({ read, raw }) =>
    read.ok ? [] : [{ raw: raw(), sourceName: 'http', sourcePosition: '', problems: read.problems }],
  );
  return refusals.length === 0 ? Promise.resolve([]) : store.put(refusals, now);
}
