import { Purse } from '../../billing/adjustments/credits.js';
import type { BillStore } from '../../billing/overage-run/bill-store.js';
import type { PurseOf } from '../../billing/preview-overage.js';
import { RefusedError } from '../../core/errors.js';
import { modeOf } from '../../platform/outbound/stripe/key-mode.js';
import type { Period } from '../../core/time.js';
import type { Services } from '../services.js';

/** The ledger of this server's account at Stripe; null where none is set. */
export async function ledgerOf({ billing }: Services): Promise<BillStore | null> {
  try {
    return (await billing()).store;
  } catch (error) {
    if (error instanceof RefusedError && error.code === 'stripe_not_configured') return null;
    throw error;
  }
}

/** Whether what the catalog assumes would be billed: with a live key, nobody is charged by a guess. */
export function billsGuesses({ config }: Services): boolean {
  return config.stripe === null || modeOf(config.stripe.secretKey) === 'test';
}

/** What credits have left for the periods that ended in `ending`: what the ledger has of them in all others is used up. */
export function purseOf(services: Services, ending: Period, orgId: string | null): PurseOf {
  return async (credits) => {
    const ledger = await ledgerOf(services);
    return ledger && new Purse(credits, await ledger.spentCredits(ending, orgId));
  };
}
