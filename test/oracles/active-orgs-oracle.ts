import { z } from 'zod';
import { parseInstant, type Instant } from '../../core/time.js';
import { excludedOrgs, openSubscriptions } from './mrr-oracle.js';
import type { StandingEvent } from './standing-events.js';

/*
 * Who is active just before an instant (paying, on trial, or with an execution in the 30 days before), and which installs are open.
 */
const Link = z.object({ visitorId: z.string(), orgId: z.string() });
const Trial = z.object({ trialId: z.string(), endsAt: z.string().optional() });
const Install = z.object({ installId: z.string() });
const THIRTY_DAYS = 30n * 86_400_000_000n;

/** The org an event is about: a visitor's events are the org's that it turned out to be. */
export function orgsOfVisitors(events: readonly StandingEvent[]): (subject: string) => string {
  const orgs = new Map<string, string>();
  for (const { type, data } of events) {
    if (type !== 'identity.linked') continue;
    const { visitorId, orgId } = Link.parse(data);
    orgs.set(visitorId, orgId);
  }
  return (subject) => orgs.get(subject) ?? subject;
}

export function activeOrgs(events: readonly StandingEvent[], at: Instant): ReadonlySet<string> {
  const orgOf = orgsOfVisitors(events);
  const active = new Set(
    openSubscriptions(events, at)
      .filter(({ mrrMinor, isTrial }) => mrrMinor > 0n || isTrial)
      .map(({ orgId }) => orgId),
  );
  const trials = new Map<string, { orgId: string; started: boolean; over: boolean }>();
  for (const event of events) {
    if (event.type.startsWith('execution.') && event.at < at && event.at >= at - THIRTY_DAYS) {
      active.add(event.subject);
    }
    if (event.type !== 'trial.started' && event.type !== 'trial.ended') continue;
    const { trialId, endsAt } = Trial.parse(event.data);
    const orgId = orgOf(event.subject);
    const trial = trials.get(`${orgId}\n${trialId}`) ?? { orgId, started: false, over: false };
    trials.set(`${orgId}\n${trialId}`, trial);
    if (event.type === 'trial.started') {
      trial.started ||= event.at < at;
      trial.over ||= endsAt !== undefined && parseInstant(endsAt) < at;
    } else trial.over ||= event.at < at;
  }
  for (const { orgId, started, over } of trials.values()) if (started && !over) active.add(orgId);
  for (const orgId of excludedOrgs(events)) active.delete(orgId);
  return active;
}

/** `source id` of each install that was created and not uninstalled before `at`, by org; ids are used once. */
export function openInstalls(events: readonly StandingEvent[], at: Instant): Map<string, string> {
  const orgOf = orgsOfVisitors(events);
  const gone = new Set(
    events
      .filter((event) => event.type === 'install.uninstalled' && event.at < at)
      .map(({ subject, data }) => `${orgOf(subject)} ${Install.parse(data).installId}`),
  );
  const open = new Map<string, string>();
  for (const event of events) {
    if (event.type !== 'install.created' || event.at >= at) continue;
    const orgId = orgOf(event.subject);
    const { installId } = Install.parse(event.data);
    if (!gone.has(`${orgId} ${installId}`)) open.set(`${event.source} ${event.id}`, orgId);
  }
  return open;
}
