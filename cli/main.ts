#!/usr/bin/env node
import { CommanderError } from 'commander';
import { HeadgateError } from '../core/errors.js';
import { apiJson } from '../api/json-answer.js';
import { knownError } from '../platform/known-error.js';
import { createProgram } from './program.js';

/** 0 done, 1 refused or failed, 2 misuse. */
async function main(argv: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync([...argv], { from: 'user' });
    return process.exitCode === undefined ? 0 : Number(process.exitCode);
  } catch (error) {
    // Commander has said what is wrong, and ends help with an error too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`${describe(knownError(error), argv.includes('--json'))}\n`);
    return 1;
  }
}

function describe(error: unknown, isJson: boolean): string {
  if (error instanceof HeadgateError) {
    const { code, message, retryable, details } = error;
    return isJson ? apiJson({ code, detail: message, retryable, details }) : `error: ${message}`;
  }
  // Nobody foresaw it, so whoever reports it needs the place as well.
  const told = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return isJson
    ? apiJson({ code: 'internal', detail: told, retryable: false })
    : `error: this should not happen; please report it with what follows\n${told}`;
}

// `headgate … | head` closes the pipe early: that is an end, not a failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

process.exitCode = await main(process.argv.slice(2));
