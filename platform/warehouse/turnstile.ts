/** One at a time, in the order asked. What waits is bounded by those who ask (the log's queue, a file at a time). */
export class Turnstile {
  private last: Promise<unknown> = Promise.resolve();

  enter<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.last.then(work);
    // The next one goes in however this one ends; its own caller sees the error.
    this.last = result.catch(() => undefined);
    return result;
  }
}
