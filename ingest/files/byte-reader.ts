/** Takes a stream apart by counted bytes. Pieces are copied, for theirs are valid only until the next is asked for. */
export class ByteReader {
  private readonly pieces: AsyncIterator<Uint8Array>;
  private buffered = Buffer.alloc(0);

  constructor(
    pieces: AsyncIterable<Uint8Array>,
    /** What to throw when the stream ends where more must come. */
    private readonly cutOff: () => Error,
  ) {
    this.pieces = pieces[Symbol.asyncIterator]();
  }

  async isAtEnd(): Promise<boolean> {
    return this.buffered.length === 0 && !(await this.read());
  }

  async take(count: number): Promise<Buffer> {
    while (this.buffered.length < count) if (!(await this.read())) throw this.cutOff();
    const taken = this.buffered.subarray(0, count);
    this.buffered = this.buffered.subarray(count);
    return taken;
  }

  async skip(count: number): Promise<void> {
    let left = count;
    while (left > this.buffered.length) {
      left -= this.buffered.length;
      this.buffered = Buffer.alloc(0);
      if (!(await this.read())) throw this.cutOff();
    }
    this.buffered = this.buffered.subarray(left);
  }

  private async read(): Promise<boolean> {
    const next = await this.pieces.next();
    if (next.done === true) return false;
    this.buffered = Buffer.concat([this.buffered, next.value]);
    return true;
  }
}
