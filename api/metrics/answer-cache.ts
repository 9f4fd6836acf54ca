/**
 * Answers over runs, as the text that goes out. A published run never changes, so an answer is right for as long as its run can be
 * asked for; when memory runs short the one asked for longest ago goes first.
 */
export class AnswerCache {
  /** In the order of last use. */
  private readonly answers = new Map<string, string>();
  /** Requests for an answer that is being made wait for it. */
  private readonly making = new Map<string, Promise<string>>();
  private heldLength = 0;

  /** @param maxLength of all keys and answers together, in UTF-16 units */
  constructor(private readonly maxLength: number) {}

  /** The answer under `key`, made at most once at a time. What throws is not kept. */
  answer(key: string, make: () => Promise<string>): string | Promise<string> {
    const known = this.answers.get(key);
    if (known !== undefined) {
      this.answers.delete(key);
      this.answers.set(key, known);
      return known;
    }
    const underWay = this.making.get(key);
    if (underWay !== undefined) return underWay;
    const made = make()
      .then((answer) => {
        this.keep(key, answer);
        return answer;
      })
      .finally(() => this.making.delete(key));
    this.making.set(key, made);
    return made;
  }

  private keep(key: string, answer: string): void {
    const length = key.length + answer.length;
    if (length > this.maxLength) return;
    this.answers.set(key, answer);
    this.heldLength += length;
    for (const [oldKey, old] of this.answers) {
      if (this.heldLength <= this.maxLength) return;
      this.answers.delete(oldKey);
      this.heldLength -= oldKey.length + old.length;
    }
  }
}
