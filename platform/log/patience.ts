import { setTimeout as delay } from 'node:timers/promises';

const FIRST_MS = 200;
const LONGEST_MS = 10_000;

/** For what is tried for ever: each wait is twice the one before, up to ten seconds. */
export class Patience {
  private nextMs = FIRST_MS;

  constructor(private readonly stopping: AbortSignal) {}

  /** Returns early when all is to stop. */
  async wait(): Promise<void> {
    const waitMs = this.nextMs;
    this.nextMs = Math.min(waitMs * 2, LONGEST_MS);
    await delay(waitMs, undefined, { signal: this.stopping }).catch(() => undefined);
  }

  renew(): void {
    this.nextMs = FIRST_MS;
  }
}
