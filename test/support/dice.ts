/** Draws by a seed: the same seed draws the same. Knuth's MMIX generator; its high bits. */
export class Dice {
  private state: bigint;

  constructor(seed: number) {
    this.state = BigInt(seed);
  }

  /** 0 to `sides` − 1. */
  upTo(sides: number): number {
    this.state = (this.state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n) % (1n << 64n);
    return Number((this.state >> 33n) % BigInt(sides));
  }

  /** Once in so many times. */
  once(times: number): boolean {
    return this.upTo(times) === 0;
  }

  pick<One>(all: readonly One[]): One {
    const one = all[this.upTo(all.length)];
    if (one === undefined) throw new Error('nothing to pick from');
    return one;
  }
}
