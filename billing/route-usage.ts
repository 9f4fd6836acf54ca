import { compareText } from '../core/compare.js';
import { overlapOf, type Period } from '../core/time.js';
import type { HeldPeriod, Holding } from './held-periods.js';

/** A stretch of a metered period in which its share of the org's usage stays the same. */
export interface RoutedWindow extends Period {
  readonly holding: Holding;
  /** Packages whose usage another subscription of the org answers for. */
  readonly otherPackages: readonly string[];
  /** When set, only usage of these packages counts: the org's other usage is its main subscription's. */
  readonly onlyPackages: readonly string[] | null;
}

interface Held {
  readonly metered: HeldPeriod;
  readonly holding: Holding;
}

/**
 * No event is counted by two subscriptions. At every instant, usage of a package belongs to the subscription that holds
 * it, also where that one is on trial or pauses and nothing is billed; all other usage is the org's main one's. Of
 * several, a billed one comes first, then one with a plan, then the oldest, then by id. It goes by what is held at the
 * instant and not by which periods are being billed, so that no other run can share the same event out differently.
 *
 * @param rivals the org's other subscriptions' periods of the same meter that share an instant with this one
 * @param buckets no window reaches over the border of one, so that each window's usage is of one allowance
 */
export function routeUsage(
  metered: HeldPeriod,
  rivals: readonly HeldPeriod[],
  buckets: readonly Period[],
): RoutedWindow[] {
  return metered.holdings
    .filter(({ isBillable }) => isBillable)
    .flatMap((holding) => {
      const own = { metered, holding };
      const others = rivals.flatMap((rival) =>
        rival.holdings
          .filter((other) => overlapOf(other, holding) !== null)
          .map((other) => ({ metered: rival, holding: other })),
      );
      const borders = [
        ...others.flatMap(({ holding: other }) => [other.start, other.end]),
        ...buckets.flatMap(({ start, end }) => [start, end]),
      ];
      return cut(holding, borders).flatMap((piece) =>
        shareOf(
          own,
          piece,
          others.filter(({ holding: other }) => overlapOf(other, piece) !== null),
        ),
      );
    });
}

function shareOf(own: Held, piece: Period, others: readonly Held[]): RoutedWindow[] {
  const first = (held: readonly Held[]) => held.every((other) => ranksBefore(own, other));
  const holders = (id: string) => others.filter(({ holding }) => holding.packages.includes(id));
  const window = { ...piece, holding: own.holding };
  const isMain = first(others.filter(({ holding }) => holding.isBillable));
  if (isMain) {
    const claimed = [...new Set(others.flatMap(({ holding }) => holding.packages))];
    const lost = claimed.filter((id) => !own.holding.packages.includes(id) || !first(holders(id)));
    return [{ ...window, otherPackages: lost, onlyPackages: null }];
  }
  const won = own.holding.packages.filter((id) => first(holders(id)));
  return won.length === 0 ? [] : [{ ...window, otherPackages: [], onlyPackages: won }];
}

function ranksBefore(a: Held, b: Held): boolean {
  if (a.holding.isBillable !== b.holding.isBillable) return a.holding.isBillable;
  if (a.holding.hasPlan !== b.holding.hasPlan) return a.holding.hasPlan;
  if (a.metered.startedAt !== b.metered.startedAt) return a.metered.startedAt < b.metered.startedAt;
  return compareText(a.metered.subscriptionId, b.metered.subscriptionId) < 0;
}

/** A period in pieces, at every border inside it. */
function cut(period: Period, borders: readonly bigint[]): Period[] {
  const inside = [...new Set(borders)].filter((at) => at > period.start && at < period.end);
  const starts = [period.start, ...inside.sort((a, b) => (a < b ? -1 : 1))];
  return starts.map((start, index) => ({ start, end: starts[index + 1] ?? period.end }));
}
