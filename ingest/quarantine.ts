import { InputError, RefusedError } from '../core/errors.js';
import type { Instant } from '../core/time.js';
import type { AuditLog } from '../platform/audit-log.js';
import { TOPIC_SOURCE } from './kafka-consumer.js';
import { keepPersonalValues, type IngestServices } from './pipeline.js';
import { tokeniserFor } from './personal-tokens.js';
import type { QuarantinedEvent, QuarantineFilter } from './quarantine-store.js';
import { readBody, type BodyEvent } from './read-body.js';
import type { AcceptedEvent, RefusedEvent } from './read-event.js';
import { cloudEventOf } from './read-message.js';

export interface QuarantineServices extends IngestServices {
  readonly audit: AuditLog;
}

export interface ReplayReport {
  readonly replayed: number;
  /** Still refused: what is wrong with them has not changed. */
  readonly stillOpen: number;
}

const PAGE = 500;

/**
 * Sends what should have been sent through the pipeline, and closes the case when all of it is durable. The
 * replacement is one event or an array of them, since a bad line of a CSV may stand for several.
 *
 * @throws InputError `invalid_event` when the replacement does not pass either; then nothing changed
 */
export async function fixQuarantined(
  quarantineId: string,
  replacement: Uint8Array,
  actor: string,
  services: QuarantineServices,
  now: Instant,
): Promise<void> {
  const details = await services.quarantine.decide(quarantineId, actor, async ({ reason }, resolve) => {
    const events = await read(replacement, services, now);
    const refused = events.map((event) => event.read).find((event): event is RefusedEvent => !event.ok);
    if (refused) {
      throw new InputError(
        'invalid_event',
        `quarantine ${quarantineId}: the replacement does not pass either: ${refused.problems[0].message}`,
        { status: 422, details: { problems: refused.problems } },
      );
    }
    await append(events, services, now);
    await resolve({ status: 'fixed', fixedRaw: replacement }, now);
    return { reason, events: events.length };
  });
  await services.audit.append({ actor, action: 'quarantine.fix', target: quarantineId, details }, now);
}

/** Gives an event up, on the record. Its bytes stay until retention takes them. */
export async function discardQuarantined(
  quarantineId: string,
  { reason, actor }: { reason: string; actor: string },
  services: QuarantineServices,
  now: Instant,
): Promise<void> {
  if (reason.trim() === '') {
    throw new InputError(
      'invalid_argument',
      'quarantine: say why the event is discarded; it is kept on record',
    );
  }
  await services.quarantine.decide(quarantineId, actor, (_, resolve) =>
    resolve({ status: 'discarded' }, now),
  );
  await services.audit.append(
    { actor, action: 'quarantine.discard', target: quarantineId, details: { reason } },
    now,
  );
}

/** Sends open events through again as they are: for a clock that was wrong, or a schema that has grown since. */
export async function replayQuarantined(
  filter: Pick<QuarantineFilter, 'reason' | 'sourceName'>,
  actor: string,
  services: QuarantineServices,
  now: Instant,
): Promise<ReplayReport> {
  let report: ReplayReport = { replayed: 0, stillOpen: 0 };
  let cursor: string | undefined;
  do {
    const page = await services.quarantine.list({ ...filter, status: 'open' }, { cursor, limit: PAGE });
    for (const quarantined of page.events) {
      const isIn = await replayOne(quarantined, actor, services, now);
      report = isIn
        ? { ...report, replayed: report.replayed + 1 }
        : { ...report, stillOpen: report.stillOpen + 1 };
    }
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  await services.audit.append(
    { actor, action: 'quarantine.replay', target: filter.reason ?? 'all', details: { ...report } },
    now,
  );
  return report;
}

async function replayOne(
  { quarantineId, sourceName, raw }: QuarantinedEvent,
  actor: string,
  services: QuarantineServices,
  now: Instant,
): Promise<boolean> {
  const sent = sourceName.startsWith(TOPIC_SOURCE) ? (cloudEventOf(raw) ?? raw) : raw;
  const events = await read(sent, services, now).catch((error: unknown) => {
    if (error instanceof InputError) return [];
    throw error;
  });
  if (events.length === 0 || events.some((event) => !event.read.ok)) return false;
  try {
    await services.quarantine.decide(quarantineId, actor, async (_, resolve) => {
      await append(events, services, now);
      await resolve({ status: 'fixed' }, now);
    });
    return true;
  } catch (error) {
    // Somebody else decided meanwhile, or is deciding: theirs counts.
    if (error instanceof RefusedError && error.code === 'conflict') return false;
    throw error;
  }
}

async function read(
  raw: Uint8Array,
  { limits, vault, personalKeys }: IngestServices,
  now: Instant,
): Promise<BodyEvent[]> {
  const rules = {
    now,
    futureSkewMs: limits.futureSkewSeconds * 1000,
    maxEventBytes: limits.eventBytes,
    tokeniser: await tokeniserFor(vault, [raw]),
    personalKeys: await personalKeys(),
  };
  return readBody(raw, 'json', rules, limits);
}

/** Before the case is closed: a crash in between leaves it open, and doing it again counts once. */
async function append(events: readonly BodyEvent[], services: IngestServices, now: Instant): Promise<void> {
  const accepted = events.map((event) => event.read).filter((event): event is AcceptedEvent => event.ok);
  await keepPersonalValues(accepted, services.vault, now);
  await services.log.append(
    accepted.map(({ event }) => event),
    { recordedAtMicros: now },
  );
}
