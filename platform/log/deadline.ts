/** A time by which something must be done, however many tries that takes. */
export class Deadline {
  isOver = false;
  private readonly timer: NodeJS.Timeout;
  private pass: (error: Error) => void = () => undefined;
  private readonly passed: Promise<never>;

  constructor(timeoutMs: number, makeError: () => Error) {
    this.passed = new Promise((_resolve, reject) => {
      this.pass = reject;
    });
    // Looked at by `limit`; where nobody is in it, passing is nobody's error.
    this.passed.catch(() => undefined);
    this.timer = setTimeout(() => {
      this.isOver = true;
      this.pass(makeError());
    }, timeoutMs);
  }

  /** The work's result, or the error of the deadline when that comes first; the work itself goes on. */
  limit<Result>(work: Promise<Result>): Promise<Result> {
    return Promise.race([work, this.passed]);
  }

  cancel(): void {
    clearTimeout(this.timer);
  }
}
