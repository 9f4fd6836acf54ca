import { Presets, SingleBar } from 'cli-progress';
import Table from 'cli-table3';
import { apiJson } from '../api/json-answer.js';

/** Where a command prints: people read tables, programs read `--json`. Progress goes to standard error. */
export interface Output {
  readonly isJson: boolean;
  /** The answer of a command: as JSON whole, else as `text` says it. */
  answer(value: unknown, text: () => string): void;
  /** An answer that is written already: CSV, Parquet. */
  bytes(content: Uint8Array): void;
  progress(message: string): void;
  /** A bar on a terminal; a line from time to time in a log. */
  bar(label: string, total: number): ProgressBar;
  /** Says that something is still under way, once it takes longer than a person waits without wondering. */
  waiting<Result>(what: () => string, work: Promise<Result>): Promise<Result>;
}

/** How far something of a known size is. */
export interface ProgressBar {
  update(done: number, note: string): void;
  stop(): void;
}

const CLEAR_LINE = '\r\u001b[2K';
const QUIET_MS = 2_000;
const TICK_MS = 1_000;
/** A log gets a line less often than a terminal is redrawn. */
const LOG_EVERY_MS = 15_000;

export function createOutput(isJson: boolean): Output {
  const isTerminal = process.stderr.isTTY;
  let hasLine = false;
  let lastProgressMs = 0;

  const say = (message: string): void => {
    // On a terminal each message takes the place of the one before; in a log each has its line.
    hasLine = isTerminal && message.endsWith('…');
    process.stderr.write(`${isTerminal ? CLEAR_LINE : ''}${message}${hasLine ? '' : '\n'}`);
  };
  const clear = (): void => {
    if (hasLine) process.stderr.write(CLEAR_LINE);
    hasLine = false;
  };
  return {
    isJson,
    answer(value, text) {
      clear();
      process.stdout.write(`${isJson ? apiJson(value) : text()}\n`);
    },
    bytes(content) {
      clear();
      process.stdout.write(content);
    },
    progress(message) {
      lastProgressMs = Date.now();
      say(message);
    },
    bar(label, total) {
      clear();
      const bar = isTerminal ? drawnBar(label, total) : loggedBar(label, total);
      return {
        update(done, note) {
          lastProgressMs = Date.now();
          bar.update(done, note);
        },
        stop: () => {
          bar.stop();
        },
      };
    },
    async waiting(what, work) {
      const startedMs = Date.now();
      const pauseMs = isTerminal ? QUIET_MS : LOG_EVERY_MS;
      let quietSinceMs = startedMs;
      const timer = setInterval(() => {
        const nowMs = Date.now();
        // Work that tells its own progress needs nobody to speak for it.
        if (nowMs - Math.max(quietSinceMs, lastProgressMs) < pauseMs) return;
        if (!isTerminal) quietSinceMs = nowMs;
        say(`${what()}, ${Math.round((nowMs - startedMs) / 1000)} s …`);
      }, TICK_MS);
      try {
        return await work;
      } finally {
        clearInterval(timer);
      }
    },
  };
}

function drawnBar(label: string, total: number): ProgressBar {
  const bar = new SingleBar(
    {
      stream: process.stderr,
      format: `${label} {bar} {percentage}% {note}`,
      hideCursor: true,
      clearOnComplete: true,
    },
    Presets.shades_classic,
  );
  bar.start(total, 0, { note: '' });
  return {
    update(done, note) {
      bar.update(done, { note });
    },
    stop() {
      bar.stop();
    },
  };
}

function loggedBar(label: string, total: number): ProgressBar {
  let saidMs = Date.now();
  return {
    update(done, note) {
      if (Date.now() - saidMs < LOG_EVERY_MS) return;
      saidMs = Date.now();
      process.stderr.write(`${label}: ${Math.floor((done * 100) / Math.max(total, 1))}%, ${note}\n`);
    },
    stop: () => undefined,
  };
}

export type Align = 'left' | 'right';

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
} as const;

/** A table that a person can read: a plain head, numbers to the right, no box. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  align: readonly Align[] = [],
): string {
  const out = new Table({
    head: [...head],
    colAligns: head.map((_, index) => align[index] ?? 'left'),
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 2 },
    chars: NO_LINES,
  });
  for (const row of rows) out.push(row.map(onOneLine));
  return out
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** What others wrote (names, reasons) may hold anything; a terminal must not be told to do something by it. */
function onOneLine(cell: string): string {
  // eslint-disable-next-line no-control-regex
  return cell.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}
