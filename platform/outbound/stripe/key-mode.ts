import type { SecretText } from '../../secrets.js';
import type { OutsideAccount } from '../intent.js';

export function modeOf(secretKey: SecretText): OutsideAccount['mode'] {
  return LIVE_KEY.test(secretKey.reveal()) ? 'live' : 'test';
}
