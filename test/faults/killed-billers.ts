import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { Dice } from '../support/dice.js';
import { KilledBiller, type Left } from './killed-biller.js';
import type { KilledCompany } from './killed-desk.js';

const SOONEST_MS = 50;
const LATEST_MS = 1_550;
/** Where a long life comes to nothing the machine is busy, and the next ones are given more time. */
const LONGER_TIMES = 1.25;
/** More than a life gets through. */
const MONTHS_AHEAD = 3;
/** One life in so many is shared by two processes, of which one is killed. */
const LIVES_A_PAIR = 8;
const FIRST_PAIR = 4;

/** One billing process after the other, each killed but for the last, and now and then two at once. */
export class KilledBillers {
  private readonly dice: Dice;
  private readonly all: KilledBiller[] = [];
  private kills = 0;
  private refusals = 0;
  /** What kills left that nobody else was there to go on with. */
  private readonly left: Left[] = [];
  private isLeftUnseen = false;
  private latestMs = LATEST_MS;
  private wasLongInVain = false;
  private billedMonths = 0;
  private givenMonths = 0;

  constructor(
    private readonly company: KilledCompany,
    seed: number,
  ) {
    this.dice = new Dice(seed);
  }

  /**
   * Kills so many times at least, and until half as many left bills half-way.
   *
   * @returns how many months are billed at the end, from the first
   */
  async live(kills: number): Promise<number> {
    try {
      for (let life = 0; this.kills < kills || this.halfWay < kills / 2; life += 1) {
        await this.killOne(life % LIVES_A_PAIR === FIRST_PAIR ? 2 : 1);
      }
      await this.finish();
      return this.givenMonths;
    } finally {
      await Promise.allSettled(this.all.map((biller) => biller.kill()));
    }
  }

  private get halfWay(): number {
    return this.left.filter(({ unfinishedBills }) => unfinishedBills > 0).length;
  }

  story(): string {
    const underWay = this.left.filter(({ writesUnderWay }) => writesUnderWay > 0).length;
    return (
      `${this.kills} kills -9, ${this.left.length} of them with nobody else at work: ${this.halfWay} left bills half-way, ` +
      `${underWay} a write under way; ${this.refusals} refused beside another`
    );
  }

  private async killOne(processes: 1 | 2): Promise<void> {
    const months = [Math.max(0, this.billedMonths - 1), this.billedMonths + MONTHS_AHEAD] as const;
    const billers = Array.from({ length: processes }, () => this.begin(...months));
    await this.lookAtWhatIsLeft(billers);
    const working = await workingOf(billers);
    this.refusals += billers.length - working.length;
    const lifeMs = SOONEST_MS + this.dice.upTo(Math.round(this.latestMs) - SOONEST_MS + 1);
    await delay(lifeMs);
    const killed = this.dice.pick(working);
    const others = billers.filter((one) => one !== killed);
    const wasKilled = (await killed.kill()) === 'killed';
    for (const other of others) expect(await other.end).toBe('by itself');
    if (wasKilled) this.kills += 1;
    this.isLeftUnseen = wasKilled && working.length === 1;
    this.wasLongInVain = lifeMs > this.latestMs / 2 && working.every((biller) => biller.billedMonths === 0);
    for (const biller of billers) this.billedMonths = Math.max(this.billedMonths, biller.billedMonths);
  }

  /** From the first month on: what is billed stays as it is. */
  private async finish(): Promise<void> {
    const biller = this.begin(0, this.givenMonths);
    await this.lookAtWhatIsLeft([biller]);
    expect(await biller.end).toBe('by itself');
    expect(biller.billedMonths).toBe(this.givenMonths);
  }

  private begin(from: number, to: number): KilledBiller {
    const biller = KilledBiller.start(this.company, [from, to]);
    this.all.push(biller);
    this.givenMonths = Math.max(this.givenMonths, to);
    return biller;
  }

  /** By whoever begins first: the other one may see what that is at. */
  private async lookAtWhatIsLeft(billers: readonly KilledBiller[]): Promise<void> {
    const left = await Promise.any(billers.map(({ beginning }) => beginning.then(unlessRefused)));
    if (!this.isLeftUnseen) return;
    this.left.push(left);
    this.isLeftUnseen = false;
    if (this.wasLongInVain && left.unfinishedBills === 0) this.latestMs *= LONGER_TIMES;
  }
}

function unlessRefused(left: Left | null): Left {
  if (left === null) throw new Error('all were refused, and nobody had the store');
  return left;
}

async function workingOf(billers: readonly KilledBiller[]): Promise<KilledBiller[]> {
  const beginnings = await Promise.all(billers.map(({ beginning }) => beginning));
  return billers.filter((_, place) => beginnings[place] !== null);
}
