import { RefusedError } from '../../core/errors.js';
import { parseJsonExact } from '../../core/json.js';
import type { Instant } from '../../core/time.js';
import type { StripeConfig } from '../../platform/config.js';
import type { OutsideAccount } from '../../platform/outbound/intent.js';
import { checkSignature, TOLERANCE_SECONDS, type SignatureCheck } from './signature.js';
import type { StripeInbox } from './stripe-inbox.js';
import { customerOf, ToldEvent } from './told-event.js';

const SAYS: Readonly<Record<Exclude<SignatureCheck, 'valid'>, string>> = {
  malformed: 'the header Stripe-Signature is missing, or is none: t=…,v1=…',
  wrong_time: `the signature is more than ${TOLERANCE_SECONDS} s old or ahead; check the clock of this machine`,
  wrong_signature:
    'the signature does not fit the body; STRIPE_WEBHOOK_SECRET must be the signing secret of this very endpoint at Stripe',
};

/**
 * Takes what Stripe sends. When it returns, the event is on disk, once however often it came.
 *
 * @param open asked only for what Stripe signed: nobody else makes us ask it anything
 * @throws RefusedError `signature_refused` (400) for what Stripe did not sign just now, or not for this account and mode;
 *   `stripe_not_configured` (404) without a secret; else as `openOwnAccount`
 */
export async function receiveWebhook(
  { bytes, signature }: { readonly bytes: Uint8Array; readonly signature: string | null },
  config: StripeConfig | null,
  open: () => Promise<StripeInbox>,
  now: Instant,
): Promise<'stored' | 'repeated'> {
  const secrets = config?.webhookSecrets ?? [];
  if (secrets.length === 0) {
    throw new RefusedError(
      'stripe_not_configured',
      'webhooks of Stripe are not taken here; set STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET',
      { status: 404 },
    );
  }
  const check = checkSignature(bytes, signature, secrets, now);
  if (check !== 'valid') throw refused(SAYS[check]);
  const parsed = parseJsonExact(Buffer.from(bytes).toString('utf8'));
  const event = ToldEvent.safeParse(parsed.ok ? parsed.value : null);
  if (!event.success) throw refused('the body is no event of Stripe');
  const { id, type } = event.data;
  const inbox = await open();
  requireOwn(event.data, inbox.store.account);
  const customerId = customerOf(event.data);
  const outcome = await inbox.store.put({ eventId: id, type, raw: bytes, customerId }, now);
  inbox.kick();
  return outcome;
}

function requireOwn({ livemode, account: connected }: ToldEvent, { account, mode }: OutsideAccount): void {
  if (livemode !== (mode === 'live')) {
    throw refused(
      `the event is of ${livemode ? 'live' : 'test'} mode, and STRIPE_SECRET_KEY of ${mode} mode; set the secret of an endpoint in that mode`,
    );
  }
  if (connected != null && connected !== account) {
    throw refused('the event is of another account than STRIPE_SECRET_KEY');
  }
}

function refused(says: string): RefusedError {
  return new RefusedError('signature_refused', `webhook: ${says}; nothing was taken`, { status: 400 });
}
