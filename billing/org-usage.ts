import {
  addDecimals,
  divideRounded,
  formatDecimal,
  subtractDecimals,
  tenToThe,
  ZERO,
  type Decimal,
} from '../core/decimal.js';
import type { PublishedCatalog } from '../core/catalog/tables.js';
import type { Instant } from '../core/time.js';
import type { RunReader } from '../platform/warehouse/warehouse.js';
import { periodAt } from './billing-periods.js';
import { readUsage, type WindowTotal } from './metered-usage.js';
import {
  questionsOf,
  ratedUsage,
  rateUsage,
  usedIn,
  type ChoicesIn,
  type OverageBooks,
  type OverageLine,
  type OverageQuestion,
} from './overage-plan.js';
import { loadBooks } from './preview-overage.js';
import { leftOf, overageOfTime, remainingOfFlow } from './measure-overage.js';

/** What an org has used of one meter in a subscription period that is open, and what it would owe if that ended now. */
export interface MeterUsage extends OverageLine {
  /** What can still be used now before something is over: of today's allowance and the period's. Null is without limit. */
  readonly remaining: string | null;
  /**
   * What it will have used by the period's end if it goes on as it has since the period (or what is billed of it) began:
   * used × whole ÷ elapsed, exact, rounded to 12 digits. A level is not used up: it stays what it is; and so do unique values, since
   * one that was seen does not count again.
   */
  readonly projected: string;
}

/** Finer than a quantity that an event can carry. */
const PROJECTION_SCALE = 12;

/**
 * The usage of an org in the subscription periods that hold the last instant before `asOf`, meter by meter: the rating of the
 * overage run, over periods that are still open.
 */
export async function orgUsage(
  catalogs: readonly PublishedCatalog[],
  run: RunReader,
  orgId: string,
  asOf: Instant,
  choicesIn?: ChoicesIn,
): Promise<MeterUsage[]> {
  const questions = openQuestions(await loadBooks(run, catalogs, orgId, choicesIn), asOf);
  return usageOf(questions, await readUsage(windowsOf(questions), run, asOf), asOf);
}

/** Every meter of the subscription periods that hold the last instant before `asOf`, which is exclusive. */
export function openQuestions(books: OverageBooks, asOf: Instant): OverageQuestion[] {
  return questionsOf(books, (subscription) => {
    const period = periodAt(subscription, asOf - 1n, books.catalogAt);
    return period === null ? [] : [period];
  });
}

export function windowsOf(questions: readonly OverageQuestion[]): OverageQuestion['windows'] {
  return questions.flatMap(({ windows }) => windows);
}

/** Rates questions and says what is left of each. */
export function usageOf(
  questions: readonly OverageQuestion[],
  usage: ReadonlyMap<string, WindowTotal>,
  asOf: Instant,
): MeterUsage[] {
  const byLine = new Map(questions.map((question) => [question.lineId, question]));
  return rateUsage(questions, usage).flatMap((line) => {
    const question = byLine.get(line.lineId);
    return question === undefined ? [] : [{ ...line, ...outlookOf(question, usage, asOf) }];
  });
}

/** What is left of a metered period, and where it leads. */
export function outlookOf(
  question: OverageQuestion,
  usage: ReadonlyMap<string, WindowTotal>,
  asOf: Instant,
): Pick<MeterUsage, 'remaining' | 'projected'> {
  const rated = ratedUsage(question, usage);
  const { used } = rated;
  const { aggregation } = question.metered.meter;
  const shown = (remaining: Decimal | null, projected: Decimal) => ({
    remaining: remaining === null ? null : formatDecimal(remaining),
    projected: formatDecimal(projected),
  });
  if (aggregation === 'max' || aggregation === 'latest') return shown(levelLeft(question, used, asOf), used);
  if (aggregation === 'time_weighted') {
    const held = question.windows.reduce((sum, window) => addDecimals(sum, usedIn(window, usage)), ZERO);
    const straightOn = overageOfTime(
      projectedFlow(question, held, asOf),
      null,
      question.metered.billing.whole,
    );
    return shown(leftOf(rated), straightOn.used);
  }
  const flows = question.windows.map((window) => ({
    start: window.start,
    end: window.end,
    used: usedIn(window, usage),
  }));
  // An as-of is exclusive: what counts now is what is included in the instant before.
  const remaining = remainingOfFlow(flows, question.levels, asOf - 1n);
  return shown(remaining, aggregation === 'unique' ? used : projectedFlow(question, used, asOf));
}

/** What a level may still rise by, under what is allowed now. */
function levelLeft({ windows }: OverageQuestion, used: Decimal, asOf: Instant): Decimal | null {
  const current = windows.findLast(({ start }) => start < asOf);
  if (current === undefined || current.holding.limit === null) return null;
  const left = subtractDecimals(current.holding.limit, used);
  return left.unscaled < 0n ? { unscaled: 0n, scale: 0 } : left;
}

/** Straight on: only time in which usage is counted makes it grow. */
function projectedFlow({ windows }: OverageQuestion, used: Decimal, asOf: Instant): Decimal {
  let elapsed = 0n;
  let whole = 0n;
  for (const { start, end } of windows) {
    whole += end - start;
    if (asOf > start) elapsed += (asOf < end ? asOf : end) - start;
  }
  if (elapsed === 0n) return used;
  const product = used.unscaled * whole * tenToThe(PROJECTION_SCALE);
  return { unscaled: divideRounded(product, elapsed * tenToThe(used.scale)), scale: PROJECTION_SCALE };
}
