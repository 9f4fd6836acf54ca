import type { Instant } from '../../core/time.js';

/** Where the time of a build went, part by part. */
export interface Stopwatch {
  lap(name: string): void;
  laps(): Readonly<Record<string, number>>;
}

export function createStopwatch(clock: () => Instant): Stopwatch {
  const laps: Record<string, number> = {};
  let last = clock();
  return {
    lap(name: string): void {
      const now = clock();
      laps[`${name}_ms`] = Number((now - last) / 1000n);
      last = now;
    },
    laps: (): Readonly<Record<string, number>> => laps,
  };
}
