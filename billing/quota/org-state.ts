import { InputError } from '../../core/errors.js';
import type { Instant } from '../../core/time.js';
import { isMetering, scopesOf } from '../held-scopes.js';
import { periodAt } from '../billing-periods.js';
import type { OverageBooks, OverageQuestion } from '../overage-plan.js';
import type { SubscriptionState } from '../subscription-timeline.js';
import type { Known } from './decide.js';
import { isHeld, type LiveUsage, type UsageParts } from './live-usage.js';
import { standingFor, type MeterStanding, type Standings } from './meter-standing.js';

/** What is known of one org, as of when it was last compared with the log. */
export interface OrgState {
  readonly orgId: string;
  readonly runId: string;
  /** False: no event speaks of it. */
  readonly exists: boolean;
  readonly isExcluded: boolean;
  readonly books: OverageBooks;
  readonly questions: readonly OverageQuestion[];
  readonly usage: UsageParts;
  /** When another period is open, or something else is held: then all is to be read anew. */
  readonly until: Instant;
}

/** @throws InputError `org_not_found` of an org that no event speaks of */
export function requireKnownOrg({ exists, orgId }: Pick<OrgState, 'exists' | 'orgId'>): void {
  if (exists) return;
  throw new InputError('org_not_found', `there is no org ${orgId}: no event speaks of it`, { status: 404 });
}

/** Takes one org's part of what was read for several. */
export function orgStateOf(orgId: string, live: LiveUsage, now: Instant): OrgState {
  const subscriptions = live.books.subscriptions.filter((one) => one.orgId === orgId);
  const questions = live.questions.filter(({ metered }) => metered.orgId === orgId);
  const org = live.orgs.get(orgId);
  const books = { ...live.books, subscriptions };
  return {
    orgId,
    runId: live.runId,
    exists: org !== undefined,
    isExcluded: org?.isExcluded ?? false,
    books,
    questions,
    usage: partOf(live.usage, questions),
    until: nextChange(books, now),
  };
}

/** The same org with what it used meanwhile. */
export function withUsage(state: OrgState, usage: UsageParts): OrgState {
  return { ...state, usage: partOf(usage, state.questions) };
}

/** Whether time alone changes what it uses: levels hold on, and one that is dated ahead begins. */
export function isMovedByTime({ questions }: OrgState): boolean {
  return questions.some(({ windows }) => windows.some(isHeld));
}

function partOf({ facts, now }: UsageParts, questions: readonly OverageQuestion[]): UsageParts {
  const ids = questions.flatMap(({ windows }) => windows.map(({ windowId }) => windowId));
  const only = (totals: UsageParts['now']): UsageParts['now'] =>
    new Map(
      ids.flatMap((id) => {
        const total = totals.get(id);
        return total === undefined ? [] : [[id, total] as const];
      }),
    );
  return { facts: only(facts), now: only(now) };
}

/** Ends of open periods, and instants at which subscriptions become something else. */
function nextChange({ subscriptions, catalogAt }: OverageBooks, now: Instant): Instant {
  const at = subscriptions.flatMap((subscription) => [
    periodAt(subscription, now, catalogAt)?.end ?? NEVER,
    subscription.startedAt,
    ...subscription.states.map(({ from }) => from),
  ]);
  return at.filter((one) => one > now).reduce((least, one) => (one < least ? one : least), NEVER);
}

/** Later than anything that is dated. */
const NEVER: Instant = 10n ** 18n;

export interface MeterKnown {
  readonly known: Known;
  /** Null where nothing meters what was asked about. */
  readonly meter: MeterStanding | null;
}

/** Reads a state for a question; what `standings` holds must be of this state and this instant. */
export function knownOf(
  state: OrgState,
  standings: Standings,
  asked: { readonly meterId: string; readonly packageId: string; readonly whenUnknown: 'open' | 'closed' },
  now: Instant,
): MeterKnown {
  const { meterId, packageId, whenUnknown } = asked;
  if (state.isExcluded) return { known: { is: 'not_billed' }, meter: null };
  const meter = standingFor(standings, meterId, packageId) ?? null;
  if (meter !== null) {
    if (meter.problem !== null) return { known: { is: 'unknown', whenUnknown }, meter };
    return { known: { is: 'metered', standing: meter.standing }, meter };
  }
  return { known: { is: isInTrial(state, meterId, now) ? 'not_billed' : 'not_subscribed' }, meter: null };
}

/** Trials have caps of their own, which come later: until then their usage is let through. */
function isInTrial({ books }: OrgState, meterId: string, now: Instant): boolean {
  return books.subscriptions.some(({ states }) => {
    const state = states.find((one) => isAt(one, now));
    if (state?.isTrial !== true) return false;
    return state.items
      .flatMap((item) => scopesOf(item, books.catalogAt, now))
      .some((scope) => isMetering(scope, meterId));
  });
}

function isAt({ from, to }: SubscriptionState, now: Instant): boolean {
  return from <= now && (to === null || now < to);
}
