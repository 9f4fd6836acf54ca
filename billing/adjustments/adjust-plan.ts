import { compareText } from '../../core/compare.js';
import { parseDecimal } from '../../core/decimal.js';
import type { Instant, Period } from '../../core/time.js';
import { periodsEnding } from '../billing-periods.js';
import {
  inOrder,
  isGuess,
  type OverageBooks,
  type OverageLine,
  type OverageQuestion,
} from '../overage-plan.js';
import { overageTerms } from '../overage-terms.js';
import { adjustPeriod, type AdjustOptions, type Charge, type PeriodCharges } from './adjust-period.js';
import type { Purse } from './credits.js';
import { periodTerms, type PeriodTerms } from './period-terms.js';

/** The terms of the subscription periods that ended in `ending` and are over by `asOf`, those that ended first before others. */
export function endedTerms(
  { subscriptions, catalogAt }: OverageBooks,
  ending: Period,
  asOf: Instant,
): PeriodTerms[] {
  return subscriptions
    .flatMap((subscription) =>
      periodsEnding(subscription, ending, catalogAt)
        .filter(({ end }) => end <= asOf)
        .flatMap((billing) => periodTerms(subscription, billing, catalogAt) ?? []),
    )
    .sort(inOrderOfPayment);
}

/** Credits of an org pay for what ended first, whichever of its subscriptions that is of. */
function inOrderOfPayment(a: PeriodTerms, b: PeriodTerms): number {
  if (a.period.end !== b.period.end) return a.period.end < b.period.end ? -1 : 1;
  return compareText(a.orgId, b.orgId) || compareText(a.subscriptionId, b.subscriptionId);
}

/**
 * Rated usage with all that changes what it comes to. Pure: the same usage, terms and purse give the same lines in the same order.
 *
 * @param rated every line of the periods that `terms` are of, also what is within its allowance
 */
export function adjustUsage(
  rated: readonly OverageLine[],
  questions: readonly OverageQuestion[],
  terms: readonly PeriodTerms[],
  purse: Purse,
  options: AdjustOptions,
): OverageLine[] {
  const questionOf = new Map(questions.map((question) => [question.lineId, question]));
  const byPeriod = new Map<string, OverageLine[]>();
  for (const line of rated) {
    const key = periodKey(line);
    byPeriod.set(key, [...(byPeriod.get(key) ?? []), line]);
  }
  const adjustments = terms.flatMap((one) => {
    const lines = byPeriod.get(periodKey(one)) ?? [];
    return adjustPeriod(chargesOf(one, lines, questionOf, options), purse, options);
  });
  return [...rated, ...adjustments].sort(inOrder);
}

export function periodKey({
  orgId,
  subscriptionId,
  period,
}: Pick<OverageLine, 'orgId' | 'subscriptionId' | 'period'>): string {
  return JSON.stringify([orgId, subscriptionId, `${period.start}`, `${period.end}`]);
}

function chargesOf(
  terms: PeriodTerms,
  lines: readonly OverageLine[],
  questionOf: ReadonlyMap<string, OverageQuestion>,
  { billsGuesses }: AdjustOptions,
): PeriodCharges {
  const charges: Charge[] = [];
  let unknown: string | null = null;
  for (const line of lines) {
    if (line.status === 'unpriced' || line.status === 'unrated') {
      unknown ??= `${line.meterId} can't be billed: ${line.reason ?? line.status}`;
    }
    const question = questionOf.get(line.lineId);
    if (line.status !== 'due' || question === undefined) continue;
    const { price, spendCaps: caps } = overageTerms(question.metered, question.choices);
    if (price?.ok !== true) continue;
    if (!billsGuesses && isGuess(line)) unknown ??= `${line.meterId} is billed by what the catalog assumes`;
    else charges.push({ line, overage: parseDecimal(line.overage), price, caps });
  }
  return { terms, charges, unknown };
}
