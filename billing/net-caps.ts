import { compareText } from '../core/compare.js';
import type { SpendCap } from './overage-terms.js';

/** What usage of one meter comes to, and every cap that it counts against. */
export interface CappedCharge {
  readonly caps: readonly SpendCap[];
  /** The catalog that its price and caps are from. */
  readonly catalogVersion: bigint | null;
  readonly amountMinor: bigint;
}

/** What a cap takes off. */
export interface CapCut {
  readonly cap: SpendCap;
  readonly catalogVersion: bigint;
  /** What counts against it: what the caps before it left of its charges. */
  readonly countedMinor: bigint;
}

export interface Netted {
  /** Of the caps that are exceeded, in the order in which they take off. */
  readonly cuts: readonly CapCut[];
  /** What is left of each charge, in the order given. */
  readonly leftMinor: readonly bigint[];
}

interface Group {
  readonly cap: SpendCap;
  readonly catalogVersion: bigint;
  /** Places of its charges. */
  readonly members: readonly number[];
}

/** The narrowest first: what they leave counts against the next. */
const ORDER: readonly SpendCap['covers'][] = ['meter', 'product', 'subscription'];

/**
 * Nets all charges of a subscription period against all their caps, so that none is exceeded. What is cut is first cut from charges
 * that other caps are still to come for: then a cap more never raises what is left in all.
 */
export function netCaps(charges: readonly CappedCharge[]): Netted {
  const leftMinor = charges.map(({ amountMinor }) => amountMinor);
  const cuts: CapCut[] = [];
  for (const [step, covers] of ORDER.entries()) {
    const later = ORDER.slice(step + 1);
    const isCoveredLater = (place: number): boolean =>
      charges[place]?.caps.some((cap) => later.includes(cap.covers)) === true;
    for (const { cap, catalogVersion, members } of groupsOf(charges, covers)) {
      const countedMinor = members.reduce((sum, place) => sum + (leftMinor[place] ?? 0n), 0n);
      if (countedMinor <= cap.amountMinor) continue;
      cuts.push({ cap, catalogVersion, countedMinor });
      let room = cap.amountMinor;
      const keptFirst = [
        ...members.filter((place) => !isCoveredLater(place)),
        ...members.filter((place) => isCoveredLater(place)),
      ];
      for (const place of keptFirst) {
        const amountMinor = leftMinor[place] ?? 0n;
        const kept = amountMinor < room ? amountMinor : room;
        leftMinor[place] = kept;
        room -= kept;
      }
    }
  }
  return { cuts, leftMinor };
}

function groupsOf(charges: readonly CappedCharge[], covers: SpendCap['covers']): Group[] {
  const byCap = new Map<string, Group>();
  for (const [place, { caps, catalogVersion }] of charges.entries()) {
    const version = catalogVersion ?? 0n;
    for (const cap of caps.filter((one) => one.covers === covers)) {
      const group = byCap.get(cap.capId) ?? { cap, catalogVersion: version, members: [] };
      byCap.set(cap.capId, {
        cap: isRuling(cap, version, group) ? cap : group.cap,
        catalogVersion: version > group.catalogVersion ? version : group.catalogVersion,
        members: [...group.members, place],
      });
    }
  }
  return [...byCap.values()].sort((a, b) => compareText(a.cap.capId, b.cap.capId));
}

/** Of a product's the newest; of an org's own the highest: meters whose usage was let through at different times may have two. */
function isRuling(cap: SpendCap, version: bigint, known: Group): boolean {
  return cap.covers === 'product' ? version > known.catalogVersion : cap.amountMinor > known.cap.amountMinor;
}
