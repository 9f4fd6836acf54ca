import { parseDecimal } from '../../core/decimal.js';
import type { Instant, Period } from '../../core/time.js';
import { isWithin } from '../../core/time.js';
import type { CappedCharge } from '../net-caps.js';
import type { WindowTotal } from '../metered-usage.js';
import { usageOf, type MeterUsage } from '../org-usage.js';
import type { OverageQuestion } from '../overage-plan.js';
import { overageTerms } from '../overage-terms.js';
import type { RoutedWindow } from '../route-usage.js';
import type { Standing } from './decide.js';

/** One meter of one subscription in its open period, with what a decision about it goes by. */
export interface MeterStanding {
  readonly line: MeterUsage;
  readonly standing: Standing;
  /** Whose usage is counted here now; null in a trial or a pause, where nothing is. */
  readonly window: RoutedWindow | null;
  /** When something is included anew. */
  readonly resetsAt: Instant;
  /** Why usage can't be counted. */
  readonly problem: string | null;
}

/** What stands until an instant, unless something is used. */
export interface Standings {
  readonly meters: readonly MeterStanding[];
  readonly until: Instant;
}

/** Rates what is open as of `now`. */
export function standingsOf(
  questions: readonly OverageQuestion[],
  usage: ReadonlyMap<string, WindowTotal>,
  now: Instant,
): Standings {
  // An as-of is exclusive.
  const lines = new Map(usageOf(questions, usage, now + 1n).map((line) => [line.lineId, line]));
  const meters = questions.flatMap((question): MeterStanding[] => {
    const line = lines.get(question.lineId);
    if (line === undefined) return [];
    // What is asked for goes by the choice in force now, what was used before by what it will be billed by.
    const { stop, price, spendCaps } = overageTerms(question.metered, question.choices.slice(-1));
    const wholeCaps = spendCaps.filter(({ covers }) => covers === 'subscription');
    const elsewhere = questions.flatMap((other): CappedCharge[] => {
      const owed = other === question ? undefined : lines.get(other.lineId);
      if (owed?.subscriptionId !== line.subscriptionId) return [];
      if (owed.amount?.currency !== question.metered.currency) return [];
      const billed = overageTerms(other.metered, other.choices).spendCaps;
      const caps = [...billed.filter(({ covers }) => covers !== 'subscription'), ...wholeCaps];
      return [{ caps, catalogVersion: owed.catalogVersion, amountMinor: owed.amount.amountMinor }];
    });
    return [
      {
        line,
        standing: {
          remaining: line.remaining === null ? null : parseDecimal(line.remaining),
          overage: parseDecimal(line.overage),
          ...{ stop, price, spendCaps, elsewhere, catalogVersion: line.catalogVersion },
        },
        window: question.windows.find((window) => isWithin(now, window)) ?? null,
        resetsAt: resetOf(question, now),
        problem: question.problem,
      },
    ];
  });
  return { meters, until: nextBorder(questions, now) };
}

/** Of the allowances that run now and have an end, the one that is filled anew first. */
function resetOf({ levels, metered }: OverageQuestion, now: Instant): Instant {
  const running = levels.flat().filter((bucket) => bucket.included !== null && isWithin(now, bucket));
  const filled = running.filter(({ included }) => included !== null && included.unscaled > 0n);
  return earliest(filled, metered.end);
}

function nextBorder(questions: readonly OverageQuestion[], now: Instant): Instant {
  const spans = questions.flatMap(({ levels, windows, metered }): Period[] => [
    metered,
    ...levels.flat(),
    ...windows,
  ]);
  const borders = spans.flatMap(({ start, end }) => [start, end]).filter((at) => at > now);
  return borders.reduce((least, at) => (at < least ? at : least), FAR);
}

function earliest(periods: readonly Period[], otherwise: Instant): Instant {
  return periods.reduce((least, { end }) => (end < least ? end : least), otherwise);
}

/** Later than any border. */
const FAR: Instant = 10n ** 18n;

/**
 * The meter that answers for usage: what a package uses belongs to the subscription that holds it, all other usage to the org's main
 * one. Undefined: nothing that is billed now counts it.
 */
export function standingFor(
  { meters }: Standings,
  meterId: string,
  packageId: string,
): MeterStanding | undefined {
  return meters.find(
    ({ line, window }) =>
      line.meterId === meterId &&
      window !== null &&
      !window.otherPackages.includes(packageId) &&
      (window.onlyPackages === null || window.onlyPackages.includes(packageId)),
  );
}
