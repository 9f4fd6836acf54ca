import { formatMoney } from '../money.js';

/**
 * A value as leaves for comparison and for people: dotted path → text. Money is one leaf ("$49.00"), shares are
 * percentages, lists of words are one leaf each.
 */
export function flatten(value: unknown, path = ''): Map<string, string> {
  const leaves = new Map<string, string>();
  collect(value, path, leaves);
  return leaves;
}

function collect(value: unknown, path: string, leaves: Map<string, string>): void {
  if (value === undefined) return;
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item !== 'object')) leaves.set(path, value.map(wordOf).join(', '));
    else for (const [index, item] of value.entries()) collect(item, join(path, String(index + 1)), leaves);
    return;
  }
  if (typeof value !== 'object' || value === null) {
    leaves.set(path, isShare(path, value) ? percentText(value) : wordOf(value));
    return;
  }
  const { money, rest } = splitMoney(value);
  if (money !== undefined) leaves.set(join(path, 'amount'), money);
  for (const [key, member] of rest) collect(member, join(path, key), leaves);
}

function wordOf(value: unknown): string {
  return typeof value === 'string'
    ? value
    : typeof value === 'bigint'
      ? value.toString()
      : JSON.stringify(value);
}

function splitMoney(value: object): { money: string | undefined; rest: [string, unknown][] } {
  const members: [string, unknown][] = Object.entries(value);
  if (!('amountMinor' in value) || !('currency' in value)) return { money: undefined, rest: members };
  const { amountMinor, currency } = value;
  if (typeof amountMinor !== 'bigint' || typeof currency !== 'string')
    return { money: undefined, rest: members };
  return {
    money: formatMoney({ amountMinor, currency }),
    rest: members.filter(([key]) => key !== 'amountMinor' && key !== 'currency'),
  };
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

/** `percent` and `share` are parts per million once parsed. */
function isShare(path: string, value: unknown): value is number {
  return typeof value === 'number' && /(^|\.)(percent|share)$/.test(path);
}

function percentText(ppm: number): string {
  const text = (ppm / 10_000).toFixed(4).replace(/\.?0+$/, '');
  return `${text}%`;
}
