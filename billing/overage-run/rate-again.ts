import type { OverageLine } from '../overage-plan.js';
import type { KeptBill, KeptBillLine } from './bill-store.js';
import type { ExecuteDeps } from './execute-bills.js';
import { entriesOfLines } from './read-bills.js';
import type { Break } from './reconcile.js';
import { isRatedTheSame } from './replay-line.js';

/** By line: what the run of a bill rates for its month now, from the events. */
export type RateAgain = (bill: KeptBill) => Promise<ReadonlyMap<string, OverageLine>>;

/**
 * Rates a run's month once, whoever asks for it how often.
 *
 * @param rate every line of a month that a run rates
 */
export function rateAgainOnce(
  rate: (runId: string, month: string) => Promise<readonly OverageLine[]>,
): RateAgain {
  const rated = new Map<string, Promise<ReadonlyMap<string, OverageLine>>>();
  return ({ runId, month }) => {
    const key = JSON.stringify([runId, month]);
    const known =
      rated.get(key) ?? rate(runId, month).then((lines) => new Map(lines.map((line) => [line.lineId, line])));
    rated.set(key, known);
    return known;
  };
}

/**
 * Usage of a bill that its run does not rate to what was entered: by events, quantity or money. Whatever that is, nobody is charged by it.
 *
 * @returns nothing when each line comes out the same
 */
export async function usageBreaks(
  bill: KeptBill,
  lines: readonly KeptBillLine[],
  { sql, store }: Pick<ExecuteDeps, 'sql' | 'store'>,
  rateAgain: RateAgain,
): Promise<Break[]> {
  const usage = lines.filter(({ kind }) => kind === 'usage');
  const entries = await entriesOfLines(
    sql,
    store.account,
    usage.map(({ lineId }) => lineId),
  );
  const rated = await rateAgain(bill);
  return usage.flatMap((line): Break[] => {
    const enteredMinor = entries
      .filter(
        ({ lineId, currency, sequence }) =>
          lineId === line.lineId && currency === line.currency && sequence <= line.sequence,
      )
      .reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
    if (isRatedTheSame(line, enteredMinor, rated.get(line.lineId) ?? null)) return [];
    const message = `${line.lineId} does not rate to what was entered of it any more: headgate billing replay ${line.lineId} shows both; withdraw ${bill.billId}, and the next run bills it anew`;
    return [{ cause: 'usage', message }];
  });
}
