import { performance } from 'node:perf_hooks';
import { PHASES, type Phase } from './phases.js';

/** Timers are this rough; below it we look at the clock ourselves. */
const TIMER_MS = 8;

/** Calls `kill` after `delayMs`, exactly enough to hit a transaction of a few milliseconds. */
export function killMoment(delayMs: number, kill: () => void): void {
  const endMs = performance.now() + delayMs;
  if (delayMs > TIMER_MS) {
    setTimeout(kill, delayMs);
    return;
  }
  while (performance.now() < endMs);
  kill();
}

/** How long each phase takes on this machine, as it is seen from outside: a kill should fall anywhere in it. */
export class PhaseDurations {
  private readonly usualMs: Record<Phase, number> = {
    write: 10,
    append: 2,
    export: 40,
    dbt: 5000,
    files: 40,
    pointer: 2,
  };
  private readonly beganMs = new Map<Phase, number>();

  began(phase: Phase): void {
    this.beganMs.set(phase, performance.now());
  }

  ended(phase: Phase): void {
    const began = this.beganMs.get(phase);
    if (began === undefined) return;
    this.usualMs[phase] = (this.usualMs[phase] + (performance.now() - began)) / 2;
  }

  of(phase: Phase): number {
    return this.usualMs[phase];
  }

  toString(): string {
    return PHASES.map((phase) => `${phase} ${this.usualMs[phase].toFixed(1)} ms`).join(', ');
  }
}
