import { canonicalJson } from '../../core/canonical-json.js';
import { derivedId } from '../../core/ids.js';
import type { HashHex } from '../../core/identity.js';
import { formatInstant, type Period } from '../../core/time.js';

/** An account at the other side, in one of its two modes: they know nothing of each other. */
export interface OutsideAccount {
  readonly account: string;
  readonly mode: 'live' | 'test';
}

/** The mark under which what an intent makes carries its id, to be found again by. */
export const INTENT_MARK = 'intent_id';

export const INTENT_KINDS = ['invoice', 'invoice_item', 'finalize', 'credit_note'] as const;
export type IntentKind = (typeof INTENT_KINDS)[number];

/** What a write is for. Nothing else makes it the write it is: neither its amount nor the price behind that. */
export interface IntentPurpose extends OutsideAccount {
  readonly kind: IntentKind;
  /** Whose: an org in a currency, or one of its subscriptions. */
  readonly scope: string;
  /** Null where the write is of no meter, as an invoice's. */
  readonly meter: string | null;
  readonly period: Period;
  /** 1, and one more for each correction. */
  readonly sequence: number;
}

/** Text, numbers, and objects of them, as Stripe takes parameters. */
export type RequestParameters = { readonly [name: string]: string | number | boolean | RequestParameters };

/**
 * A POST, as it will be sent whenever it is sent. What it is about may not exist yet: `on` names the intent that makes it, whose id
 * then stands for `:on` in the path, or in the parameter `onParameter`.
 */
export interface FrozenRequest {
  readonly path: string;
  readonly parameters: RequestParameters;
  readonly on: string | null;
  readonly onParameter: string | null;
}

/** A write that is to happen once. */
export interface Intent {
  readonly intentId: string;
  readonly purpose: IntentPurpose;
  readonly request: FrozenRequest;
}

/** `int_` and 128 bits of the SHA-256 of the purpose. */
export function intentIdOf(purpose: IntentPurpose, sha256: HashHex): string {
  const { account, mode, scope, meter, period, kind, sequence } = purpose;
  const parts = [
    ...[account, mode, scope, meter ?? '', formatInstant(period.start), formatInstant(period.end)],
    ...[kind, String(sequence)],
  ];
  return derivedId('int', parts, sha256);
}

/** The same request always gives the same text; what is kept, and compared. */
export function requestText(request: FrozenRequest): string {
  return canonicalJson(request);
}

/** A request that can be sent: the object it is about has its id. */
export interface SendableRequest {
  readonly path: string;
  readonly parameters: RequestParameters;
}

/** @param objectId of what the request is about; null where it is about nothing that had to be made first */
export function sendable(
  { path, parameters, onParameter }: FrozenRequest,
  objectId: string | null,
): SendableRequest {
  if (objectId === null) return { path, parameters };
  if (onParameter === null) return { path: path.replace(':on', encodeURIComponent(objectId)), parameters };
  return { path, parameters: { ...parameters, [onParameter]: objectId } };
}
