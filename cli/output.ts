import Table from 'cli-table3';
import { apiJson } from '../api/json-answer.js';

/** Where a command prints: people read tables, programs read `--json`. Progress goes to standard error. */
export interface Output {
  readonly isJson: boolean;
  /** The answer of a command: as JSON whole, else as `text` says it. */
  answer(value: unknown, text: () => string): void;
  note(message: string): void;
  progress(message: string): void;
}

export function createOutput(isJson: boolean): Output {
  const isTerminal = process.stderr.isTTY;
  return {
    isJson,
    answer(value, text) {
      process.stdout.write(`${isJson ? apiJson(value) : text()}\n`);
    },
    note(message) {
      if (!isJson) process.stdout.write(`${message}\n`);
    },
    progress(message) {
      // On a terminal each message takes the place of the one before; in a log each has its line.
      process.stderr.write(isTerminal ? `\r\u001b[2K${message}` : `${message}\n`);
      if (isTerminal && !message.endsWith('…')) process.stderr.write('\n');
    },
  };
}

export type Align = 'left' | 'right';

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
    chars: {
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
    },
  });
  for (const row of rows) out.push([...row]);
  return out.toString();
}
