/** Text that shows itself as "[secret]" wherever it is printed, logged or put into JSON. */
export class SecretText {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toJSON(): string {
    return '[secret]';
  }

  toString(): string {
    return '[secret]';
  }
}

/** Shows itself as "[secret]" wherever it is printed, logged or put into JSON. */
export class Secrets {
  readonly #vaultKey: Uint8Array | null;
  readonly #tokenKey: Uint8Array | null;

  constructor(keys: { vaultKey: Uint8Array | null; tokenKey: Uint8Array | null }) {
    this.#vaultKey = keys.vaultKey;
    this.#tokenKey = keys.tokenKey;
  }

  reveal(): { vaultKey: Uint8Array | null; tokenKey: Uint8Array | null } {
    return { vaultKey: this.#vaultKey, tokenKey: this.#tokenKey };
  }

  toJSON(): string {
    return '[secret]';
  }

  toString(): string {
    return '[secret]';
  }
}
