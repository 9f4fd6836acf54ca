import { z } from 'zod';
import { dateIn } from '../../core/calendar.js';
import type { Catalog } from '../../core/catalog.js';
import { addDays, compareDates, type Instant } from '../../core/time.js';
import { inEventOrder, type StandingEvent } from './standing-events.js';

const Click = z.object({ partnerId: z.string(), visitorId: z.string() });
const Claim = z.object({
  partnerId: z.string(),
  method: z.string(),
  since: z.string().optional(),
  visitorId: z.string().optional(),
  registrationId: z.string().optional(),
});
const Link = z.object({ visitorId: z.string(), orgId: z.string() });
const Registration = z.object({ registrationId: z.string(), status: z.string() });
export const PartnerState = z.object({
  partnerId: z.string(),
  programId: z.string(),
  tier: z.string().optional(),
});

/** What is known of who won an org, read once from all events. */
export interface Referrals {
  readonly signups: ReadonlyMap<string, Instant>;
  readonly partnerStates: ReadonlyMap<
    string,
    readonly { at: Instant; state: z.output<typeof PartnerState> }[]
  >;
  readonly clicks: ReadonlyMap<string, readonly { event: StandingEvent; click: z.output<typeof Click> }[]>;
  readonly claims: ReadonlyMap<string, readonly { event: StandingEvent; claim: z.output<typeof Claim> }[]>;
  readonly registrations: ReadonlyMap<string, string>;
}

export function readReferrals(events: readonly StandingEvent[]): Referrals {
  const orgs = new Map<string, string>();
  for (const { type, data } of events) {
    if (type !== 'identity.linked') continue;
    const { visitorId, orgId } = Link.parse(data);
    orgs.set(visitorId, orgId);
  }
  const signups = new Map<string, Instant>();
  const partnerStates = new Map<string, { at: Instant; state: z.output<typeof PartnerState> }[]>();
  const clicks = new Map<string, { event: StandingEvent; click: z.output<typeof Click> }[]>();
  const claims = new Map<string, { event: StandingEvent; claim: z.output<typeof Claim> }[]>();
  const registrations = new Map<string, string>();
  for (const event of events) {
    const { type, subject, at, data } = event;
    if (type === 'signup.created') {
      const orgId = orgs.get(subject) ?? subject;
      if (!signups.has(orgId)) signups.set(orgId, at);
    } else if (type === 'partner.enrolled' || type === 'partner.tier_changed') {
      const state = PartnerState.parse(data);
      push(partnerStates, state.partnerId, { at, state });
    } else if (type === 'referral.clicked') {
      const click = Click.parse(data);
      const orgId = orgs.get(click.visitorId);
      if (orgId !== undefined) push(clicks, orgId, { event, click });
    } else if (type === 'referral.attributed') {
      push(claims, subject, { event, claim: Claim.parse(data) });
    } else if (type === 'deal.registered') {
      const { registrationId, status } = Registration.parse(data);
      registrations.set(registrationId, status);
    }
  }
  return { signups, partnerStates, clicks, claims, registrations };
}

interface Touch {
  readonly event: StandingEvent;
  readonly partnerId: string;
  readonly touchedAt: Instant;
  readonly isAlways: boolean;
  readonly mode: 'first' | 'last';
}

/** The partner that a payment is credited to: by hand, else by the first or last touch before the first payment. */
export function partnerOf(
  orgId: string,
  paidAt: Instant,
  firstPaymentAt: Instant,
  referrals: Referrals,
  catalog: Catalog,
): string | undefined {
  const claims = referrals.claims.get(orgId) ?? [];
  const manual = claims.filter(
    ({ event, claim }) => claim.method === 'manual' && (claim.since === 'always' || event.at <= paidAt),
  );
  if (manual.length > 0) return manual.at(-1)?.claim.partnerId;

  const touches = touchesOf(orgId, firstPaymentAt, referrals, catalog).sort(
    (a, b) => Number(a.touchedAt - b.touchedAt) || inEventOrder(a.event, b.event),
  );
  const early = touches.filter(({ touchedAt, isAlways }) => isAlways || touchedAt <= firstPaymentAt);
  const [firstTouch] = early;
  if (firstTouch !== undefined) return (firstTouch.mode === 'first' ? firstTouch : early.at(-1))?.partnerId;
  const [late] = touches;
  return late !== undefined && late.event.at <= paidAt ? late.partnerId : undefined;
}

function touchesOf(
  orgId: string,
  firstPaymentAt: Instant,
  referrals: Referrals,
  { programs, zone: catalogZone }: Catalog,
): Touch[] {
  const signup = referrals.signups.get(orgId);
  const wonAt = signup !== undefined && signup < firstPaymentAt ? signup : firstPaymentAt;
  const clicks = referrals.clicks.get(orgId) ?? [];
  const programOf = (partnerId: string) => {
    const programId = referrals.partnerStates.get(partnerId)?.at(-1)?.state.programId;
    const program = programId === undefined ? undefined : programs[programId];
    return program === undefined ? undefined : { ...program, zone: program.zone ?? catalogZone };
  };
  const touches: Touch[] = [];
  for (const { event, click } of clicks) {
    const program = programOf(click.partnerId);
    if (program === undefined || event.at > wonAt || !isWithin(event.at, wonAt, program)) continue;
    touches.push(touch(event, click.partnerId, event.at, false, program));
  }
  for (const { event, claim } of referrals.claims.get(orgId) ?? []) {
    const program = programOf(claim.partnerId);
    if (program === undefined || claim.method === 'manual' || isTurnedDown(claim, referrals)) continue;
    const clicked = clicks
      .filter(({ click }) => click.visitorId === claim.visitorId && click.partnerId === claim.partnerId)
      .filter((click) => click.event.at <= event.at)
      .at(-1)?.event.at;
    if (clicked !== undefined && !isWithin(clicked, event.at, program)) continue;
    touches.push(touch(event, claim.partnerId, clicked ?? event.at, claim.since === 'always', program));
  }
  return touches;
}

type ZonedProgram = Catalog['programs'][string] & { readonly zone: string };

function touch(
  event: StandingEvent,
  partnerId: string,
  touchedAt: Instant,
  isAlways: boolean,
  program: ZonedProgram,
): Touch {
  return { event, partnerId, touchedAt, isAlways, mode: program.attribution.touch };
}

function isWithin(touchedAt: Instant, wonAt: Instant, { zone, attribution }: ZonedProgram): boolean {
  const end = addDays(dateIn(touchedAt, zone), attribution.windowDays);
  return compareDates(dateIn(wonAt, zone), end) < 0;
}

function isTurnedDown(
  { method, registrationId }: z.output<typeof Claim>,
  { registrations }: Referrals,
): boolean {
  const status = registrationId === undefined ? undefined : registrations.get(registrationId);
  return method === 'deal' && status !== undefined && !['open', 'accepted', 'won'].includes(status);
}

function push<Value>(lists: Map<string, Value[]>, key: string, value: Value): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
