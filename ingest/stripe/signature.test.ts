import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { parseInstant } from '../../core/time.js';
import { SecretText } from '../../platform/secrets.js';
import { checkSignature } from './signature.js';

/*
 * The known answer was made by another implementation:
 *   printf '1767225600.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_one
 */
const BODY = '{"id":"evt_1"}';
const AT = 1_767_225_600; // 2026-01-01T00:00:00Z
const KNOWN = '6e3cbd8494ace09bac02c77c1de134909149e92fea07f404612c5ecb9002f6ae';
const NOW = parseInstant('2026-01-01T00:00:00Z');
const ONE = new SecretText('whsec_one');
const TWO = new SecretText('whsec_two');

const sign = (secret: string, body = BODY, at: number | string = AT): string =>
  `v1=${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}`;
const check = (header: string | null, { body = BODY, secrets = [ONE], now = NOW } = {}) =>
  checkSignature(Buffer.from(body), header, secrets, now);

test('what the holder of the secret signed just now is valid', () => {
  expect(check(`t=${AT},v1=${KNOWN}`)).toBe('valid');
});

test('while a secret is replaced, either is good; one that is neither is not', () => {
  const secrets = [ONE, TWO];
  expect(check(`t=${AT},${sign('whsec_two')}`, { secrets })).toBe('valid');
  expect(check(`t=${AT},${sign('whsec_three')}`, { secrets })).toBe('wrong_signature');
  expect(check(`t=${AT},${sign('whsec_two')}`)).toBe('wrong_signature');
});

test('Stripe signs once for each secret in use, and one that fits will do', () => {
  expect(check(`t=${AT},${sign('whsec_three')},${sign('whsec_one')},v0=${'0'.repeat(64)}`)).toBe('valid');
});

test.each([
  ['300 s old', 300, 'valid'],
  ['301 s old', 301, 'wrong_time'],
  ['300 s ahead', -300, 'valid'],
  ['301 s ahead', -301, 'wrong_time'],
])('%s', (_, seconds, expected) => {
  const now = NOW + BigInt(seconds) * 1_000_000n;
  expect(check(`t=${AT},v1=${KNOWN}`, { now })).toBe(expected);
});

test('a body that was changed by one byte, and a time that was, are not what was signed', () => {
  expect(check(`t=${AT},v1=${KNOWN}`, { body: `${BODY} ` })).toBe('wrong_signature');
  expect(check(`t=${AT + 1},v1=${KNOWN}`)).toBe('wrong_signature');
});

test.each([
  ['none', null],
  ['empty', ''],
  ['without a time', `v1=${KNOWN}`],
  ['without a signature', `t=${AT}`],
  ['of another scheme only', `t=${AT},v0=${KNOWN}`],
  ['with two times', `t=${AT},t=${AT},v1=${KNOWN}`],
  ['with a time that is none', `t=now,${sign('whsec_one', BODY, 'now')}`],
  ['cut off', `t=${AT},v1=${KNOWN.slice(0, 63)}`],
  ['with more signatures than anybody needs', `t=${AT},${Array(11).fill(sign('whsec_one')).join(',')}`],
])('a header %s is no signature', (_, header) => {
  expect(check(header)).toBe('malformed');
});
