import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { netCaps, type CappedCharge } from './net-caps.js';
import type { SpendCap } from './overage-terms.js';

const cap = (capId: string, covers: SpendCap['covers'], amountMinor: bigint): SpendCap => ({
  ...{ capId, covers, amountMinor, currency: 'USD', isAssumed: false },
});
const charge = (amountMinor: bigint, caps: SpendCap[], catalogVersion = 1n): CappedCharge => ({
  ...{ amountMinor, caps, catalogVersion },
});
const cuts = (charges: readonly CappedCharge[]) =>
  netCaps(charges).cuts.map((cut) => `${cut.cap.capId}: ${cut.cap.amountMinor} of ${cut.countedMinor}`);

describe('of two amounts under one id', () => {
  test('a product’s newest counts, an own cap’s highest', () => {
    const older = charge(10n, [cap('pro', 'product', 9n), cap('(own)', 'subscription', 2n)], 1n);
    const newer = charge(10n, [cap('pro', 'product', 8n), cap('(own)', 'subscription', 1n)], 2n);
    const expected = ['pro: 8 of 20', '(own): 2 of 8'];
    expect(cuts([older, newer])).toEqual(expected);
    expect(cuts([newer, older])).toEqual(expected);
  });
});

test('charges that no other cap covers are cut last', () => {
  const pro = cap('pro', 'product', 100n);
  const own = cap('(own)', 'subscription', 10n);
  // 80 are under the product's cap alone and kept; of the 100 under both, 20 are left, then 10.
  expect(netCaps([charge(100n, [pro, own]), charge(80n, [pro])])).toMatchObject({
    leftMinor: [10n, 80n],
    cuts: [{ countedMinor: 180n }, { countedMinor: 20n }],
  });
});

describe('laws', () => {
  const amount = fc.bigInt(0n, 200n);
  const anyTerms = fc.record({
    charges: fc.array(
      fc.record({
        amount,
        own: fc.option(amount),
        product: fc.nat({ max: 2 }),
        isUnderWhole: fc.boolean(),
      }),
      { maxLength: 6 },
    ),
    products: fc.tuple(fc.option(amount), fc.option(amount), fc.option(amount)),
    whole: fc.option(fc.bigInt(0n, 600n)),
  });
  type Terms = typeof anyTerms extends fc.Arbitrary<infer Value> ? Value : never;
  const chargesOf = ({ charges, products, whole }: Terms): CappedCharge[] =>
    charges.map((one, index) => {
      const product = products[one.product] ?? null;
      return charge(one.amount, [
        ...(one.isUnderWhole && whole !== null ? [cap('(own)', 'subscription', whole)] : []),
        ...(product === null ? [] : [cap(`product ${one.product}`, 'product', product)]),
        ...(one.own === null ? [] : [cap(`(own) ${index}`, 'meter', one.own)]),
      ]);
    });
  const sum = (amounts: readonly bigint[]) => amounts.reduce((total, one) => total + one, 0n);
  const billOf = (charges: readonly CappedCharge[]) => sum(netCaps(charges).leftMinor);
  const least = (...amounts: bigint[]) => amounts.reduce((a, b) => (a < b ? a : b));

  test('under each cap at most the cap is left, nothing below 0 or above what it was, and the lines say by how much', () => {
    fc.assert(
      fc.property(anyTerms, (terms) => {
        const charges = chargesOf(terms);
        const { cuts: taken, leftMinor } = netCaps(charges);
        const caps = new Map(charges.flatMap((one) => one.caps).map((one) => [one.capId, one]));
        for (const { capId, amountMinor } of caps.values()) {
          const covered = leftMinor.filter((_, place) =>
            charges[place]?.caps.some((one) => one.capId === capId),
          );
          expect(sum(covered) <= amountMinor).toBe(true);
        }
        leftMinor.forEach((left, place) => {
          expect(left >= 0n && left <= (charges[place]?.amountMinor ?? 0n)).toBe(true);
        });
        const given = sum(taken.map((cut) => cut.countedMinor - cut.cap.amountMinor));
        expect(sum(charges.map((one) => one.amountMinor)) - given).toBe(sum(leftMinor));
        expect(taken.every((cut) => cut.countedMinor > cut.cap.amountMinor)).toBe(true);
        expect(new Set(taken.map((cut) => cut.cap.capId)).size).toBe(taken.length);
      }),
    );
  });

  test('the bill is the most that the caps allow', () => {
    fc.assert(
      fc.property(anyTerms, (terms) => {
        const { charges, products, whole } = terms;
        const isUnder = (one: (typeof charges)[number]) => one.isUnderWhole && whole !== null;
        const own = (one: (typeof charges)[number]) => least(one.amount, one.own ?? one.amount);
        let free = 0n;
        let underWhole = 0n;
        for (const [place, limit] of products.entries()) {
          const sold = charges.filter(({ product }) => product === place);
          const [outside, inside] = [
            sum(sold.filter((one) => !isUnder(one)).map(own)),
            sum(sold.filter(isUnder).map(own)),
          ];
          const kept = least(outside, limit ?? outside);
          free += kept;
          underWhole += least(inside, limit === null ? inside : limit - kept);
        }
        expect(billOf(chargesOf(terms))).toBe(free + least(underWhole, whole ?? underWhole));
      }),
    );
  });

  test('a further cap, or a lower one, never raises the bill', () => {
    fc.assert(
      fc.property(anyTerms, fc.nat(), fc.bigInt(0n, 100n), (terms, pick, percent) => {
        const charges = chargesOf(terms);
        const ids = [...new Set(charges.flatMap(({ caps }) => caps.map(({ capId }) => capId)))];
        const capId = ids[pick % ids.length] ?? '';
        const changed = (change: (one: SpendCap) => SpendCap[]) =>
          charges.map((one) => ({
            ...one,
            caps: one.caps.flatMap((held) => (held.capId === capId ? change(held) : [held])),
          }));
        const bill = billOf(charges);
        expect(billOf(changed(() => [])) >= bill).toBe(true);
        const lower = (held: SpendCap) => [{ ...held, amountMinor: (held.amountMinor * percent) / 100n }];
        expect(billOf(changed(lower)) <= bill).toBe(true);
        // Also of one charge alone.
        const place = pick % Math.max(1, charges.length);
        const without = charges.map((one, index) => (index === place ? { ...one, caps: [] } : one));
        expect(billOf(without) >= bill).toBe(true);
      }),
    );
  });

  test('the order in which charges come changes no line', () => {
    fc.assert(
      fc.property(anyTerms, (terms) => {
        const charges = chargesOf(terms);
        expect(netCaps([...charges].reverse()).cuts).toEqual(netCaps(charges).cuts);
      }),
    );
  });
});
