import type { OverageLine } from '../../billing/overage-plan.js';
import { derivedId } from '../../core/ids.js';
import type { Period } from '../../core/time.js';
import { sha256 } from '../../platform/sha256.js';

/** Usage of a meter that is over what is included, as rated; its quantities say nothing of its amount. */
export function dueLine(orgId: string, meterId: string, amountMinor: bigint, period: Period): OverageLine {
  return {
    lineId: derivedId('ovl', [orgId, meterId], sha256),
    ...{ orgId, subscriptionId: `sub_${orgId}`, meterId, period },
    ...{ used: '1500', included: '1000', overage: '500', events: 3, eventDigest: '17' },
    ...{ status: 'due', reason: null, amount: { amountMinor, currency: 'USD' } },
    ...{ isAssumed: false, isIncludedAssumed: false, stopPolicy: 'soft', catalogVersion: 1n },
    adjustment: null,
  };
}
