import type { Row } from '../hand-made-run.js';

/** Facts as a run has them, with every column that readers of live usage ask for. */
export function factOfExecution(
  orgId: string,
  id: string,
  day: string,
  ops: string,
  packageId = 'other',
): Row {
  const at = `${day} 00:00:00`;
  return {
    ...{ day, org_id: orgId, source: '/p', event_id: id, type: 'execution.completed', at, recorded_at: at },
    ...{
      log_partition: 0,
      log_offset: 0,
      execution_id: id,
      attempt: 1,
      package_id: packageId,
      install_id: 'i',
    },
    ...{
      workflow: 'w',
      user_id: 'u',
      duration_ms: 5,
      cost_micros: 1,
      currency: 'USD',
      human_intervention: false,
    },
    ...{
      saved_minutes: 0,
      byo_key: false,
      meter: '',
      quantity: 0,
      unique_key: '',
      usage: JSON.stringify({ ops }),
    },
  };
}

/** A contract from 2026 on, with what it agrees on in place of the catalog. */
export function factOfContract(orgId: string, overrides: object, day: string): Row {
  const at = `${day} 00:00:00`;
  const data = {
    ...{ contractId: `ct_${orgId}`, totalMinor: 100_000, currency: 'USD' },
    ...{ startsAt: '2026-01-01T00:00:00Z', endsAt: '2027-01-01T00:00:00Z', overrides },
  };
  return {
    ...{ day, subject: orgId, source: '/s', event_id: `ct ${orgId}`, type: 'contract.signed', at },
    ...{ recorded_at: at, log_partition: 0, log_offset: 0, data: JSON.stringify(data) },
  };
}

export interface SubscriptionFact {
  readonly kind?: 'plan' | 'package';
  /** Tells several subscriptions of one org apart. */
  readonly name?: string;
  readonly data?: object;
}

export function factOfSubscription(
  orgId: string,
  productId: string,
  day: string,
  { kind = 'plan', name = '', data = {} }: SubscriptionFact = {},
): Row {
  const at = `${day} 00:00:00`;
  const item = {
    ...{ itemId: 'si', kind, productId, quantity: 1 },
    ...{ unitAmountMinor: 4900, interval: 'month', intervalCount: 1 },
  };
  const told = { subscriptionId: `sub_${orgId}${name}`, currency: 'USD', items: [item], ...data };
  return {
    ...{
      day,
      subject: orgId,
      source: '/s',
      event_id: `sub ${orgId}${name}`,
      type: 'subscription.started',
      at,
    },
    ...{ recorded_at: at, log_partition: 0, log_offset: 0, data: JSON.stringify(told) },
  };
}
