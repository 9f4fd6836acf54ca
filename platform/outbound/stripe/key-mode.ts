import type { SecretText } from '../../secrets.js';
import type { OutsideAccount } from '../intent.js';

const LIVE_KEY = /^(sk|rk)_live_/;

export function modeOf(secretKey: SecretText): OutsideAccount['mode'] {
  return LIVE_KEY.test(secretKey.reveal()) ? 'live' : 'test';
}
