import type { PublishedCatalog } from '../../core/catalog/tables.js';
import { InputError, RefusedError, UnavailableError } from '../../core/errors.js';
import { formatDecimal, type Decimal } from '../../core/decimal.js';
import type { Money } from '../../core/money.js';
import type { Instant } from '../../core/time.js';
import { catalogVersions } from '../catalog-versions.js';
import { DEFAULT_GRACE_DAYS } from '../dunning.js';
import { entryOf } from '../held-scopes.js';
import type { SpendCap, StopPolicy } from '../overage-terms.js';
import { decide, strictest, type Decision, type Delinquency, type Known, type Reason } from './decide.js';
import type { MeterStanding } from './meter-standing.js';
import { knownOf, requireKnownOrg } from './org-state.js';
import type { CountedOrg, QuotaCounters } from './quota-counters.js';

/** Whether a quantity of a meter may be used now. */
export interface QuotaQuestion {
  readonly meterId: string;
  /** Whose usage it will be; '' where it is of no package. */
  readonly packageId: string;
  readonly quantity: Decimal;
}

export interface QuotaAnswer {
  readonly question: QuotaQuestion;
  readonly decision: Decision;
  readonly reason: Reason;
  /** What is known of the meter; null where nothing is, or where nothing that is held meters it. */
  readonly meter: {
    readonly subscriptionId: string;
    readonly used: string;
    readonly included: string | null;
    readonly left: string | null;
    readonly overage: string;
    readonly overageAmount: Money | null;
    /** With the quantity asked for. */
    readonly amountAfter: Money | null;
    readonly stop: StopPolicy;
    /** The lowest of those that it counts against. */
    readonly spendCap: SpendCap | null;
    readonly resetsAt: Instant;
  } | null;
}

export interface QuotaAnswers {
  readonly answers: readonly QuotaAnswer[];
  /** The first of the strictest. */
  readonly deciding: QuotaAnswer;
  readonly delinquency: Delinquency;
  /** Null where usage is not known. */
  readonly counted: { readonly runId: string; readonly countedAt: Instant } | null;
}

export interface QuotaDeskDeps {
  readonly counters: Pick<QuotaCounters, 'ask'>;
  readonly catalogs: () => Promise<readonly PublishedCatalog[]>;
  /** @param graceDays what the org's stop policy waits for a payment */
  readonly delinquencyOf: (orgId: string, graceDays: number) => Promise<Delinquency>;
}

/**
 * Answers whether an org may use something now, from memory. What can't be known is told as such, and the meter says what follows.
 *
 * @throws InputError `org_not_found`, `not_found` for a meter that no catalog has
 */
export async function checkQuota(
  { counters, catalogs, delinquencyOf }: QuotaDeskDeps,
  orgId: string,
  questions: readonly QuotaQuestion[],
  now: Instant,
): Promise<QuotaAnswers> {
  const counted = await askOrNull(counters, orgId, now);
  if (counted !== null) requireKnownOrg(counted.state);
  const meterOf = await metersAt(counted, catalogs, now);
  const delinquency = await delinquencyOf(orgId, graceDaysOf(counted));
  const answers = questions.map((question): QuotaAnswer => {
    const { whenUnknown } = meterOf(question.meterId);
    const { known, meter }: { known: Known; meter: MeterStanding | null } =
      counted === null
        ? { known: { is: 'unknown', whenUnknown }, meter: null }
        : knownOf(counted.state, counted.standings, { ...question, whenUnknown }, now);
    const { decision, reason, amountAfter } = decide(known, question.quantity, delinquency);
    return { question, decision, reason, meter: meter === null ? null : meterAnswer(meter, amountAfter) };
  });
  const deciding = strictest(answers);
  if (deciding === undefined) throw new InputError('invalid_argument', 'quota: ask about at least one meter');
  return {
    answers,
    deciding,
    delinquency,
    counted: counted === null ? null : { runId: counted.state.runId, countedAt: counted.countedAt },
  };
}

/** Of the plan that the org holds; where nothing is known of it, the usual one. */
function graceDaysOf(counted: CountedOrg | null): number {
  const held = (counted?.state.questions ?? []).map(({ metered }) =>
    metered.holdings.findLast(({ isBillable }) => isBillable),
  );
  const plan = held.flatMap((holding) => holding?.scopes ?? []).find(({ kind }) => kind === 'plan');
  return plan?.sold.stopPolicy?.paymentGraceDays ?? DEFAULT_GRACE_DAYS;
}

/** Null when it can't be known now: something is away, or nothing was measured yet. */
async function askOrNull(
  counters: QuotaDeskDeps['counters'],
  orgId: string,
  now: Instant,
): Promise<CountedOrg | null> {
  try {
    return await counters.ask(orgId, now);
  } catch (error) {
    if (error instanceof UnavailableError) return null;
    if (error instanceof RefusedError && error.code === 'no_run') return null;
    throw error;
  }
}

async function metersAt(
  counted: CountedOrg | null,
  catalogs: QuotaDeskDeps['catalogs'],
  now: Instant,
): Promise<(meterId: string) => { readonly whenUnknown: 'open' | 'closed' }> {
  const catalogAt = counted?.state.books.catalogAt ?? catalogVersions(await catalogs());
  return (meterId) => {
    // A meter that was sold once is held to until nobody holds it any more.
    const held = counted?.state.questions.find(({ metered }) => metered.meterId === meterId)?.metered.meter;
    const meter = entryOf(catalogAt(now).catalog.meters, meterId) ?? held;
    if (meter !== undefined) return meter;
    throw new InputError(
      'not_found',
      `the catalog has no meter ${meterId}; headgate catalog show lists them`,
      {
        status: 404,
      },
    );
  };
}

function meterAnswer(
  { line, standing, resetsAt }: MeterStanding,
  amountAfter: Money | null,
): NonNullable<QuotaAnswer['meter']> {
  return {
    subscriptionId: line.subscriptionId,
    used: line.used,
    included: line.included,
    left: standing.remaining === null ? null : formatDecimal(standing.remaining),
    overage: line.overage,
    overageAmount: line.amount,
    amountAfter,
    stop: standing.stop,
    spendCap: lowestOf(standing.spendCaps),
    resetsAt,
  };
}

function lowestOf(caps: readonly SpendCap[]): SpendCap | null {
  return caps.reduce<SpendCap | null>(
    (lowest, cap) => (lowest === null || cap.amountMinor < lowest.amountMinor ? cap : lowest),
    null,
  );
}
