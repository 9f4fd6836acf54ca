#!/usr/bin/env node
import { CommanderError } from 'commander';
import { HeadgateError } from '../core/errors.js';
import { apiJson } from '../api/json-answer.js';
import { createProgram } from './program.js';

/** 0 done, 1 refused or failed, 2 misuse. */
async function main(argv: readonly string[]): Promise<number> {
  const isJson = argv.includes('--json');
  try {
    await createProgram().parseAsync([...argv], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof HeadgateError) {
      const { code, message, retryable, details } = error;
      process.stderr.write(
        isJson ? `${apiJson({ code, detail: message, retryable, details })}\n` : `error: ${message}\n`,
      );
      return 1;
    }
    throw error;
  }
}

process.exitCode = await main(process.argv.slice(2));
