import { createHmac } from 'node:crypto';
import { MICROS_PER_SECOND, type Instant } from '../../../core/time.js';

/**
 * The headers that tell who sent a body, and when, by the scheme of Standard Webhooks. Sent anew, a message has the same id and
 * another timestamp.
 *
 * @param secrets `whsec_` and the key as base64; the first is the one that stays; a second while it replaces another
 */
export function signedHeaders(
  message: { readonly messageId: string; readonly payload: string },
  secrets: readonly string[],
  now: Instant,
): Record<string, string> {
  const timestamp = (now / MICROS_PER_SECOND).toString();
  const signed = `${message.messageId}.${timestamp}.${message.payload}`;
  return {
    'webhook-id': message.messageId,
    'webhook-timestamp': timestamp,
    'webhook-signature': secrets.map((secret) => `v1,${signatureOf(signed, secret)}`).join(' '),
  };
}

function signatureOf(signed: string, secret: string): string {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  return createHmac('sha256', key).update(signed).digest('base64');
}
