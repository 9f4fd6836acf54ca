import type { Random } from '../../fixtures/generator/random.js';
import { parseJsonExact } from '../../core/json.js';
import { validateEvent } from '../../core/events/validate-event.js';
import type { Stream } from '../../core/raw-event.js';
import { parseInstant } from '../../core/time.js';

/** The instant that every run of these tests measures: January and February of a small company. */
export const AS_OF = '2025-03-01T00:00:00Z';
/** What each org pays a month, so that MRR counts the subscriptions that were taken in. */
export const MRR_PER_ORG_MINOR = 10_000n;

/** One event as it goes over the wire, with what the test must find again. */
export interface SentEvent {
  readonly line: string;
  readonly stream: Stream;
  /** `source` and `id`, as facts hold them. */
  readonly identity: string;
  readonly isSubscription: boolean;
}

const LATEST = parseInstant(AS_OF);
const DAY_MS = 86_400_000;

/** The life of one org in a few events; the same number always gives the same events. */
export function eventsOfOrg(number: number, random: Random): SentEvent[] {
  const org = `org_${number}`;
  const install = `ins_${number}`;
  const startMs = Date.parse('2025-01-02T09:00:00Z') + random.below(20) * DAY_MS;
  const at = (minutes: number): string => new Date(startMs + minutes * 60_000).toISOString();
  const events: [source: string, type: string, minutes: number, data: object][] = [
    ['/app', 'org.upserted', 0, { name: `Org ${number}`, segment: 'smb', country: 'US' }],
    ['/app', 'signup.created', 0, { userId: `usr_${number}`, channel: 'search' }],
    ['/app', 'install.created', 10, { installId: install, packageId: 'reporting' }],
    ['/app', 'install.first_value', 25, { installId: install, packageId: 'reporting' }],
    ['/billing', 'subscription.started', 60, subscription(number)],
    ['/crm', 'lead.upserted', 5, { leadId: `lead_${number}`, orgId: org, createdAt: at(5), status: 'open' }],
  ];
  for (let run = 0; run < 4; run += 1) {
    const data = { executionId: `run_${number}_${run}`, packageId: 'reporting', installId: install };
    const cost = { durationMs: 1200, costMicros: random.between(1, 9) * 1000, currency: 'USD' };
    events.push(['/runtime', 'execution.completed', 90 + run * 60, { ...data, ...cost }]);
  }
  return events.map(([source, type, minutes, data], index) =>
    sentEvent({
      specversion: '1.0',
      id: `${number}-${index}`,
      source,
      type,
      subject: org,
      time: at(minutes),
      data,
    }),
  );
}

function subscription(number: number): object {
  const plan = { itemId: `si_${number}`, kind: 'plan', productId: 'starter', quantity: 1 };
  const price = { unitAmountMinor: Number(MRR_PER_ORG_MINOR), interval: 'month', intervalCount: 1 };
  return { subscriptionId: `sub_${number}`, currency: 'USD', items: [{ ...plan, ...price }] };
}

function sentEvent(event: {
  source: string;
  id: string;
  type: string;
  [attribute: string]: unknown;
}): SentEvent {
  const line = JSON.stringify(event);
  const parsed = parseJsonExact(line);
  const valid = parsed.ok ? validateEvent(parsed.value, LATEST) : null;
  if (valid?.ok !== true) throw new Error(`these tests send valid events only: ${line}`);
  return {
    line,
    stream: valid.event.stream,
    identity: `${event.source} ${event.id}`,
    isSubscription: event.type === 'subscription.started',
  };
}
