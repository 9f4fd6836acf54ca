import { parseInstant, type Instant } from '../../core/time.js';
import type { Random } from '../../fixtures/generator/random.js';

const TIME = /"time": ?"([^"]+)"/;

/** When a line says that it happened; null where it is no event. */
export function timeOf(line: string): Instant | null {
  const time = TIME.exec(line)?.[1];
  try {
    return time === undefined ? null : parseInstant(time);
  } catch {
    return null;
  }
}

export function shuffledBy(random: Random, lines: readonly string[]): string[] {
  const drawn = lines.map((line) => ({ line, place: random.next() }));
  return drawn.sort((a, b) => a.place - b.place).map(({ line }) => line);
}

/** Noon of the day of the line this far into the file: an instant that cuts a day on which much happens. */
export function noonAt(lines: readonly string[], share: number): string {
  const time = TIME.exec(lines[Math.floor(lines.length * share)] ?? '')?.[1] ?? '';
  return `${time.slice(0, 10)}T12:00:00Z`;
}
