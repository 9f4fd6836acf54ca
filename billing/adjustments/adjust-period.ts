import { compareText } from '../../core/compare.js';
import {
  compareDecimals,
  decimalOf,
  formatDecimal,
  multiplyDecimals,
  roundToInteger,
  subtractDecimals,
  type Decimal,
} from '../../core/decimal.js';
import type { HashHex } from '../../core/identity.js';
import { derivedId } from '../../core/ids.js';
import { formatMoney } from '../../core/money.js';
import { formatInstant } from '../../core/time.js';
import { rateOverage, type Price } from '../overage-price.js';
import { isGuess, type OverageLine } from '../overage-plan.js';
import { netCaps } from '../net-caps.js';
import { OWN_CAP, type SpendCap } from '../overage-terms.js';
import { ADJUSTMENT_ID, type Adjustment, type AdjustmentKind } from './adjustment.js';
import type { Credit, Purse } from './credits.js';
import { quantityWords, periodWords, percentWords } from './adjustment-text.js';
import type { PeriodTerms } from './period-terms.js';

/** Usage that is charged for, and how it is priced. */
export interface Charge {
  readonly line: OverageLine;
  readonly overage: Decimal;
  readonly price: Price;
  readonly caps: readonly SpendCap[];
}

/** One subscription in one of its periods: what it used over what is included, and the terms of all of it. */
export interface PeriodCharges {
  readonly terms: PeriodTerms;
  /** What is due, in the period's currency. */
  readonly charges: readonly Charge[];
  /** Why what usage comes to is not known yet; null when it is. */
  readonly unknown: string | null;
}

export interface AdjustOptions {
  readonly md5: HashHex;
  /** Nobody pays by what the catalog assumes, but in test mode: then no credit pays for it either. */
  readonly billsGuesses: boolean;
}

/** A charge after what was taken off it so far. */
interface Charged extends Charge {
  readonly amountMinor: bigint;
}

/**
 * What a period's usage comes to more, or less: quantities that are prepaid, caps, percentages off, the minimum commitment, and
 * prepaid money, in this order, each rounded once. Pure but for the purse, from which the period is paid.
 */
export function adjustPeriod(
  period: PeriodCharges,
  purse: Purse,
  { md5, billsGuesses }: AdjustOptions,
): OverageLine[] {
  const { terms, unknown } = period;
  const credits = purse.goodFor(terms.orgId, terms.period);
  const write = writerOf(terms, leftOf(credits, purse), md5);
  const [charged, quantities] = useQuantities(period, credits, purse, write);
  const caps = capCharges(charged, terms, write);
  const used = sumOf([...charged, ...caps.map(amountOf)]);
  const coupon = takeShareOff(used, terms, write);
  const usage = used + sumOf(coupon.map(amountOf));
  const commitment = commit(usage, unknown, terms, write);
  const owed = usage + sumOf(commitment.filter((line) => billsGuesses || !isGuess(line)).map(amountOf));
  const paid = useMoney(owed, terms, credits, purse, write);
  return [...quantities, ...caps, ...coupon, ...commitment, ...paid];
}

type Write = (
  kind: AdjustmentKind,
  what: string,
  line: Partial<OverageLine> & { readonly amountMinor: bigint | null },
  adjustment: Pick<Adjustment, 'words'> & Partial<Adjustment>,
) => OverageLine;

/** Lines are known by what they are for, never by their terms: a catalog that was mended corrects them. */
function writerOf(
  { orgId, subscriptionId, period, currency, catalogVersion }: PeriodTerms,
  creditsLeft: Adjustment['creditsLeft'],
  md5: HashHex,
): Write {
  const bounds = [formatInstant(period.start), formatInstant(period.end)];
  return (kind, what, { amountMinor, ...line }, adjustment) => ({
    lineId: derivedId(ADJUSTMENT_ID, [orgId, subscriptionId, kind, what, ...bounds], md5),
    ...{ orgId, subscriptionId, meterId: '', period },
    ...{ used: '0', included: null, overage: '0', events: 0, eventDigest: '0' },
    ...{ status: 'due', reason: null, isAssumed: false, isIncludedAssumed: false, stopPolicy: 'soft' },
    catalogVersion,
    amount: amountMinor === null ? null : { amountMinor, currency },
    ...line,
    adjustment: { kind, creditId: null, quantity: null, creditsLeft, ...adjustment },
  });
}

function leftOf(credits: readonly Credit[], purse: Purse): Record<string, string> {
  return Object.fromEntries(
    credits
      .map((credit): [string, string] => [credit.creditId, formatDecimal(purse.leftOf(credit))])
      .filter(([, left]) => left !== '0'),
  );
}

/** Prepaid quantities lower what is over before it is priced: each is worth what the price of the rest is less. */
function useQuantities(
  { terms, charges }: PeriodCharges,
  credits: readonly Credit[],
  purse: Purse,
  write: Write,
): [Charged[], OverageLine[]] {
  const lines: OverageLine[] = [];
  const ordered = [...charges].sort((a, b) => compareText(a.line.meterId, b.line.meterId));
  const charged = ordered.map((charge): Charged => {
    const { line, price } = charge;
    let { overage } = charge;
    let amountMinor = rateOverage(price, overage).amountMinor;
    for (const credit of credits) {
      if (credit.unit.kind !== 'quantity' || credit.unit.meterId !== line.meterId) continue;
      const quantity = least(purse.leftOf(credit), overage);
      const rest = subtractDecimals(overage, quantity);
      const restMinor = rateOverage(price, rest).amountMinor;
      // What would take nothing off (part of a package, say) is kept for when it does.
      if (restMinor >= amountMinor) continue;
      purse.spend(credit, quantity);
      const words = `Prepaid credit ${credit.creditId}, ${periodWords(terms.period)}: ${quantityWords(quantity, line.meterId)}`;
      lines.push(
        write(
          'quantity_credit',
          `${credit.creditId} ${line.meterId}`,
          {
            amountMinor: restMinor - amountMinor,
            meterId: line.meterId,
            isAssumed: line.isAssumed,
            isIncludedAssumed: line.isIncludedAssumed,
          },
          { words, creditId: credit.creditId, quantity },
        ),
      );
      [overage, amountMinor] = [rest, restMinor];
    }
    return { ...charge, amountMinor };
  });
  return [charged, lines];
}

/** What soft stops bill above a cap is given back, one line for each cap. */
function capCharges(charged: readonly Charged[], { period }: PeriodTerms, write: Write): OverageLine[] {
  const charges = charged.map(({ caps, line, amountMinor }) => ({
    ...{ caps, amountMinor, catalogVersion: line.catalogVersion },
  }));
  return netCaps(charges).cuts.map(({ cap, catalogVersion, countedMinor }) => {
    const usage = formatMoney({ ...cap, amountMinor: countedMinor });
    const words = `${capTitle(cap)}, ${periodWords(period)}: ${formatMoney(cap)}, used ${usage}`;
    const line = { amountMinor: cap.amountMinor - countedMinor, catalogVersion, isAssumed: cap.isAssumed };
    return write('cap', cap.capId, line, { words });
  });
}

function capTitle({ capId, covers }: SpendCap): string {
  if (covers === 'product') return `Spend cap of ${capId}`;
  return covers === 'meter' ? `Own spend cap of ${capId.slice(OWN_CAP.length + 1)}` : 'Own spend cap';
}

function takeShareOff(
  usedMinor: bigint,
  { share, currency, period }: PeriodTerms,
  write: Write,
): OverageLine[] {
  if (share === null) return [];
  const amountMinor = roundToInteger(multiplyDecimals(decimalOf(usedMinor), share)) - usedMinor;
  if (amountMinor === 0n) return [];
  const usage = formatMoney({ amountMinor: usedMinor, currency });
  const words = `Discount of ${percentWords(share)} on usage of ${usage}, ${periodWords(period)}`;
  return [write('coupon', '', { amountMinor }, { words })];
}

/** What usage falls short of the minimum; it waits while usage is not known, or somebody would pay too much. */
function commit(
  usedMinor: bigint,
  unknown: string | null,
  { commitment, currency, period }: PeriodTerms,
  write: Write,
): OverageLine[] {
  if (commitment === null) return [];
  const title = `Minimum commitment for ${periodWords(period)}`;
  if (!commitment.ok) {
    const line = { amountMinor: null, status: 'unpriced' as const, reason: commitment.reason };
    return [write('commitment', '', line, { words: title })];
  }
  if (unknown !== null) {
    const line = { amountMinor: null, status: 'unrated' as const, reason: unknown };
    return [write('commitment', '', line, { words: title })];
  }
  const amountMinor = commitment.amountMinor - usedMinor;
  if (amountMinor <= 0n) return [];
  const [minimum, used] = [commitment.amountMinor, usedMinor].map((minor) =>
    formatMoney({ amountMinor: minor, currency }),
  );
  const line = { amountMinor, isAssumed: commitment.isAssumed };
  return [write('commitment', '', line, { words: `${title}: ${minimum}, used ${used}` })];
}

/** Prepaid money pays whatever is owed, a commitment as well. */
function useMoney(
  owedMinor: bigint,
  { currency, period }: PeriodTerms,
  credits: readonly Credit[],
  purse: Purse,
  write: Write,
): OverageLine[] {
  const lines: OverageLine[] = [];
  let owed = decimalOf(owedMinor);
  for (const credit of credits) {
    if (credit.unit.kind !== 'money' || credit.unit.currency !== currency) continue;
    const left = purse.leftOf(credit);
    const used = least(left, owed);
    if (used.unscaled <= 0n) continue;
    purse.spend(credit, used);
    owed = subtractDecimals(owed, used);
    const before = formatMoney({ amountMinor: left.unscaled, currency });
    const words = `Prepaid credit ${credit.creditId}, ${periodWords(period)}: from ${before} that was left`;
    const line = { amountMinor: -used.unscaled };
    lines.push(write('credit', credit.creditId, line, { words, creditId: credit.creditId }));
  }
  return lines;
}

function least(a: Decimal, b: Decimal): Decimal {
  return compareDecimals(a, b) < 0 ? a : b;
}

function amountOf({ amount }: OverageLine): { readonly amountMinor: bigint } {
  return { amountMinor: amount?.amountMinor ?? 0n };
}

function sumOf(amounts: readonly { readonly amountMinor: bigint }[]): bigint {
  return amounts.reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
}
