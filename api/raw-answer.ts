/**
 * An answer that is written already: CSV, Parquet, or JSON that was made once and goes out many times. It bypasses the answer's
 * schema, so whoever makes one vouches for what is in it.
 */
export class RawAnswer {
  constructor(
    readonly mediaType: string,
    readonly content: string | Uint8Array<ArrayBuffer>,
    readonly headers?: Readonly<Record<string, string>>,
  ) {}
}
