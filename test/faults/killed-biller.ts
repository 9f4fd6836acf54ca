import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { KilledCompany } from './killed-desk.js';

const BILLER = fileURLToPath(new URL('./overage-run.killed.ts', import.meta.url));

/** What those before it had left when it began. */
export interface Left {
  readonly unfinishedBills: number;
  readonly writesUnderWay: number;
}

/** How a process ended. */
export type BillerEnd = 'by itself' | 'killed';

/** A billing process, to be killed. */
export class KilledBiller {
  /** Null: it was refused, since another process has the store. */
  readonly beginning: Promise<Left | null>;
  readonly end: Promise<BillerEnd>;
  /** From the first month up to the last that it said is billed. */
  billedMonths = 0;

  private constructor(private readonly child: ChildProcessByStdio<null, Readable, Readable>) {
    let complaint = '';
    child.stderr.on('data', (piece: Buffer) => (complaint += piece.toString()));
    const closed = once(child, 'close').then(() => {
      if (child.signalCode === 'SIGKILL') return 'killed';
      if (child.exitCode === 0) return 'by itself';
      throw new Error(
        `a billing process ended with ${String(child.exitCode ?? child.signalCode)}: ${complaint}`,
      );
    });
    this.end = closed;
    this.beginning = new Promise((resolve, reject) => {
      let text = '';
      child.stdout.on('data', (piece: Buffer) => {
        const lines = (text + piece.toString()).split('\n');
        text = lines.pop() ?? '';
        for (const line of lines) this.hear(line, resolve);
      });
      closed.then((how) => {
        reject(new Error(`a billing process ended ${how} and never began`));
      }, reject);
    });
    // Whoever waits for the one is told; a failure is no less one while nobody waits for the other yet.
    this.beginning.catch(() => undefined);
    this.end.catch(() => undefined);
  }

  /** @param months from the first up to, and without, the last */
  static start(
    { store, stripeUrl, orgs }: KilledCompany,
    [from, to]: readonly [number, number],
  ): KilledBiller {
    const given = [store, stripeUrl, String(orgs), String(from), String(to)];
    return new KilledBiller(
      spawn(process.execPath, ['--import', 'tsx', BILLER, ...given], { stdio: ['ignore', 'pipe', 'pipe'] }),
    );
  }

  kill(): Promise<BillerEnd> {
    this.child.kill('SIGKILL');
    return this.end;
  }

  private hear(line: string, began: (left: Left | null) => void): void {
    const [word, first, second] = line.split(' ');
    if (word === 'billing') began({ unfinishedBills: Number(first), writesUnderWay: Number(second) });
    else if (word === 'refused') began(null);
    else if (word === 'done') this.billedMonths = Number(first) + 1;
    else throw new Error(`a billing process said: ${line}`);
  }
}
