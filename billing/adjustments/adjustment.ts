import type { Decimal } from '../../core/decimal.js';

/** What can change what usage comes to, in the order in which it does. */
export const ADJUSTMENT_KINDS = ['quantity_credit', 'cap', 'coupon', 'commitment', 'credit'] as const;
export type AdjustmentKind = (typeof ADJUSTMENT_KINDS)[number];

/** What the ids of their lines begin with. */
export const ADJUSTMENT_ID = 'adj';

/** What makes a line of a bill something else than usage. */
export interface Adjustment {
  readonly kind: AdjustmentKind;
  /** As a customer reads it. */
  readonly words: string;
  /** The credit that is used up. */
  readonly creditId: string | null;
  /** How much of a credit of a meter's quantity is used; null where it is of money, which the line's amount says. */
  readonly quantity: Decimal | null;
  /** What the org's credits had left before this period was paid from them: with the usage, all that the line follows from. */
  readonly creditsLeft: Readonly<Record<string, string>>;
}
