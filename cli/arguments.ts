import { InvalidArgumentError } from 'commander';
import { FIXED_SCOPES, ScopeSchema } from '../platform/key-scopes.js';
import { tryParseDate, tryParseInstant } from '../core/time.js';

// Values of options and arguments, checked before anything is opened: what is wrong here is misuse (exit code 2).

const MONTH = /^\d{4}-(0[1-9]|1[0-2])$/;

/** An instant; a day stands for its midnight in UTC. */
export function instantArgument(text: string): string {
  const instant = tryParseDate(text) === null ? text : `${text}T00:00:00Z`;
  if (tryParseInstant(instant) === null) {
    throw new InvalidArgumentError('Write 2026-10-01 or 2026-10-01T00:00:00Z.');
  }
  return instant;
}

export function dayArgument(text: string): string {
  if (tryParseDate(text) === null) throw new InvalidArgumentError('Write a day as 2026-10-01.');
  return text;
}

/** `2026-09`, and the first day of it for those who paste one. */
export function monthArgument(text: string): string {
  const month = text.endsWith('-01') && tryParseDate(text) !== null ? text.slice(0, 7) : text;
  if (!MONTH.test(month)) throw new InvalidArgumentError('Write a month as 2026-09.');
  return month;
}

export function countArgument(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Write a whole number above 0.');
  return Number(text);
}

export function wholeNumberArgument(text: string): number {
  if (!/^-?\d{1,6}$/.test(text)) throw new InvalidArgumentError('Write a whole number.');
  return Number(text);
}

export function portArgument(text: string): string {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new InvalidArgumentError('Write a port from 0 (any that is free) to 65535.');
  }
  return text;
}

/** `plan=growth` into the map of conditions. */
export function pairArgument(
  pair: string,
  known: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const at = pair.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Write it as name=value.');
  return { ...known, [pair.slice(0, at)]: pair.slice(at + 1) };
}

/** A scope among those named before it. */
export function scopeArgument(text: string, known: readonly string[] = []): string[] {
  if (!ScopeSchema.safeParse(text).success) {
    throw new InvalidArgumentError(
      `Scopes are ${FIXED_SCOPES.join(', ')}, and partner:<id> for one partner's own.`,
    );
  }
  return [...known, text];
}

/** Something to ask: blanks are nothing. */
export function statementArgument(text: string): string {
  if (text.trim() === '')
    throw new InvalidArgumentError('Write one SELECT, or SHOW TABLES to see what there is.');
  return text;
}
